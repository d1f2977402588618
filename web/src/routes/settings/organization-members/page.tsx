import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';

import { inWords } from '@/lib/api.ts';
import { MEMBERS, ssoQuery } from '@/lib/organization.ts';
import { type Context, nameOf, type Session } from '@/lib/session.ts';
import { cn } from '@/ui/class.ts';
import { Note } from '@/ui/note.tsx';
import { LINK, Page } from '@/ui/page.tsx';
import { SignedIn } from '@/ui/signed-in.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';
import { Invitations } from './invitations.tsx';
import { Members } from './members.tsx';
import { Security } from './security.tsx';
import { Enable } from './sso.tsx';

const waiting = (
  <Page title="Members">
    <Skeleton className="h-64 rounded-xl" />
  </Page>
);

const TABS = { members: 'Members', sso: 'SSO', security: 'Security' } as const;
type Tab = keyof typeof TABS;

function Tabs({ now, tabs }: { now: Tab; tabs: Tab[] }) {
  return (
    <nav aria-label="Parts of this page" className="flex gap-1 border-b border-line">
      {tabs.map((tab) => (
        <Link
          key={tab}
          to={MEMBERS}
          search={tab === 'members' ? {} : { tab }}
          aria-current={tab === now ? 'page' : undefined}
          className={cn(
            '-mb-px rounded-t border-b-2 px-3 py-2 text-sm font-medium',
            tab === now ? 'border-accent text-ink' : 'border-transparent text-muted hover:text-ink',
          )}
        >
          {TABS[tab]}
        </Link>
      ))}
    </nav>
  );
}

function Organization({ session, context }: { session: Session; context: Context }) {
  const search: { tab?: unknown } = useLocation().search;
  const wanted = search.tab;
  const admin = context.role === 'org:admin';
  const sso = useQuery({ ...ssoQuery(context.account_id), enabled: admin });
  const tabs: Tab[] = ['members'];
  if (sso.data) tabs.push('sso');
  if (sso.data?.enabled_at) tabs.push('security');
  const tab = tabs.find((one) => one === wanted) ?? 'members';
  // A tab of the address is waited for, so that another one does not flash up before it.
  const waits = wanted !== undefined && wanted !== 'members' && admin && sso.isPending;
  return (
    <Page title={`Members of ${nameOf(context)}`}>
      {tabs.length > 1 ? <Tabs now={tab} tabs={tabs} /> : null}
      {sso.error ? <Note kind="danger">{inWords(sso.error)}</Note> : null}
      {waits ? (
        <Skeleton className="h-64 rounded-xl" />
      ) : tab === 'members' ? (
        <>
          <Members session={session} context={context} />
          {admin ? <Invitations organization={context.account_id} /> : null}
        </>
      ) : tab === 'sso' && sso.data ? (
        <Enable context={context} sso={sso.data} />
      ) : sso.data ? (
        <Security context={context} sso={sso.data} />
      ) : null}
    </Page>
  );
}

export function OrganizationMembers() {
  return (
    <SignedIn waiting={waiting}>
      {(session) =>
        session.context.kind === 'organization' ? (
          <Organization
            key={session.context.account_id}
            session={session}
            context={session.context}
          />
        ) : (
          <Page title="Members">
            <Note>
              <p>
                You act for yourself, and there are no members of that. Choose an organization at
                the top, or{' '}
                <Link to="/settings/account" className={LINK}>
                  create one
                </Link>
                .
              </p>
            </Note>
          </Page>
        )
      }
    </SignedIn>
  );
}
