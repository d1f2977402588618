import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronDown, LogOut, Monitor, Moon, Sun, UserRound, UsersRound } from 'lucide-react';

import { MEMBERS } from '@/lib/organization.ts';
import { useSignOut, useSwitch } from '@/lib/presence.ts';
import { nameOf, roleOf, type Session, useSession } from '@/lib/session.ts';
import { chooseTheme, type Theme, THEMES, useTheme } from '@/lib/theme.ts';
import { Button } from './button.tsx';
import { Mark } from './mark.tsx';
import { Choices, Divider, Item, Menu } from './menu.tsx';

const THEME: Record<Theme, [string, typeof Sun]> = {
  system: ['System', Monitor],
  light: ['Light', Sun],
  dark: ['Dark', Moon],
};

function ThemeMenu() {
  const theme = useTheme();
  const [name, Icon] = THEME[theme];
  return (
    <Menu
      trigger={
        <Button kind="quiet" size="icon" aria-label={`Theme: ${name}`}>
          <Icon aria-hidden />
        </Button>
      }
    >
      <Choices
        label="Theme"
        value={theme}
        options={THEMES.map((value) => ({ value, name: THEME[value][0] }))}
        onChoose={chooseTheme}
      />
    </Menu>
  );
}

function ContextMenu({ session }: { session: Session }) {
  const change = useSwitch();
  return (
    <Menu
      trigger={
        <Button kind="quiet" size="small" className="max-w-48" busy={change.isPending}>
          <span className="truncate">{nameOf(session.context)}</span>
          <ChevronDown aria-hidden />
        </Button>
      }
    >
      <Choices
        label="Acting for"
        value={session.context.account_id}
        options={session.contexts.map((one) => ({
          value: one.account_id,
          name: nameOf(one),
          ...(one.kind === 'organization' ? { detail: roleOf(one) } : {}),
        }))}
        onChoose={(account) => change.mutate(account)}
      />
    </Menu>
  );
}

function PersonMenu({ session }: { session: Session }) {
  const navigate = useNavigate();
  const leave = useSignOut(() => void navigate({ to: '/sign-in' }));
  const { email } = session.user;
  return (
    <Menu
      trigger={
        <Button kind="quiet" size="icon" aria-label={`Signed in as ${email}`}>
          <UserRound aria-hidden />
        </Button>
      }
    >
      <p className="max-w-64 truncate px-2 py-1.5 text-xs text-muted">{email}</p>
      <Item asChild>
        <Link to="/settings/account">
          <UserRound aria-hidden />
          Account
        </Link>
      </Item>
      {session.context.kind === 'organization' ? (
        <Item asChild>
          <Link to={MEMBERS}>
            <UsersRound aria-hidden />
            Members
          </Link>
        </Item>
      ) : null}
      <Divider />
      <Item onSelect={() => leave.mutate()}>
        <LogOut aria-hidden />
        Sign out
      </Item>
    </Menu>
  );
}

/** The bar at the top of every page. `bare` leaves out what leads away from the page's one question. */
export function TopBar({ bare = false }: { bare?: boolean }) {
  const { data: session } = useSession();
  return (
    <header className="sticky top-0 z-10 border-b border-line bg-canvas">
      <div className="flex h-12 items-center gap-2 px-4 sm:px-6">
        <Link to="/" className="mr-auto flex items-center gap-2 rounded text-base font-semibold">
          <Mark />
          Signalbox
        </Link>
        <ThemeMenu />
        {session ? (
          <>
            {session.contexts.length > 1 ? <ContextMenu session={session} /> : null}
            <PersonMenu session={session} />
          </>
        ) : session === null && !bare ? (
          <Button asChild size="small">
            <Link to="/sign-in">Sign in</Link>
          </Button>
        ) : null}
      </div>
    </header>
  );
}
