import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call, inWords } from '@/lib/api.ts';
import { moment } from '@/lib/format.ts';
import { at, called, found, type Member, membersQuery } from '@/lib/organization.ts';
import { HOME } from '@/lib/return-path.ts';
import {
  type Context,
  nameOf,
  type Role,
  roleOf,
  type Session,
  sessionQuery,
} from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Confirm } from '@/ui/confirm.tsx';
import { CONTROL, Field } from '@/ui/field.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';
import { Tag } from '@/ui/tag.tsx';

/** Members from which on they are searched. */
const MANY = 8;

const SOURCE = { manual: null, scim: 'directory', sso: 'single sign-on' } as const;

type Step = { member: Member; what: 'off' | 'remove' | 'leave' };

function useChange(organization: string) {
  const queries = useQueryClient();
  return useAct({
    mutationFn: ({ member, wish }: { member: Member; wish: { role?: Role; active?: boolean } }) =>
      call('PATCH', `${at(organization)}/members/${member.id}`, wish),
    // One's own role, too, may be another from now on.
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: membersQuery(organization).queryKey }),
        queries.invalidateQueries({ queryKey: sessionQuery.queryKey, exact: true }),
      ]),
  });
}

/** Says what follows, and does it. */
function Ask({ step, context, onEnd }: { step: Step; context: Context; onEnd: () => void }) {
  const { member, what } = step;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const organization = context.account_id;
  const path = `${at(organization)}/members/${member.id}` as const;
  const act = useAct({
    mutationFn: () =>
      what === 'off' ? call('PATCH', path, { active: false }) : call('DELETE', path),
    onSuccess: async () => {
      if (what === 'leave') {
        await navigate({ to: HOME });
        await queries.invalidateQueries();
      } else {
        await queries.invalidateQueries({ queryKey: membersQuery(organization).queryKey });
        onEnd();
      }
    },
  });
  const { name } = called(member);
  const texts = {
    off: [
      `Switch ${name} off?`,
      'Switch off',
      'They can’t act for the organization any more, and the keys that they made in it are disabled. Switching them on again gives no key back.',
    ],
    remove: [
      `Remove ${name}?`,
      'Remove',
      'They leave the organization, and the keys that they made in it are disabled. Their own account stays as it is.',
    ],
    leave: [
      `Leave ${nameOf(context)}?`,
      'Leave',
      'You lose its credit, its workspaces and the keys that you made in it. Your own account stays as it is.',
    ],
  } as const;
  const [title, yes, text] = texts[what];
  return (
    <Confirm
      title={title}
      yes={yes}
      busy={act.isPending}
      error={act.error}
      onYes={() => act.mutate()}
      onNo={onEnd}
    >
      <p>{text}</p>
    </Confirm>
  );
}

function Row({ member, self, children }: { member: Member; self: boolean; children: ReactNode }) {
  const { name, email } = called(member);
  const source = SOURCE[member.source];
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-2.5 sm:px-5">
      <div className="min-w-0 grow basis-56">
        <p className="flex flex-wrap items-center gap-x-2 [overflow-wrap:anywhere]">
          {name}
          {self ? <Tag kind="good">You</Tag> : null}
          {member.active ? null : <Tag kind="caution">Switched off</Tag>}
        </p>
        <p className="text-sm text-muted [overflow-wrap:anywhere]">
          {email === null ? null : <>{email} · </>}
          {source === null ? null : <>by {source} · </>}
          since <time dateTime={member.created_at}>{moment(member.created_at)}</time>
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-2">{children}</div>
    </li>
  );
}

function Controls({
  member,
  self,
  change,
  onStep,
}: {
  member: Member;
  self: boolean;
  change: ReturnType<typeof useChange>;
  onStep: (what: Step['what']) => void;
}) {
  const { name } = called(member);
  const busy = change.isPending && change.variables.member.id === member.id;
  return (
    <>
      <select
        aria-label={`Role of ${name}`}
        className={`${CONTROL} h-7.5 w-auto px-2 text-sm`}
        value={busy ? (change.variables.wish.role ?? member.role) : member.role}
        onChange={(event) =>
          change.mutate({
            member,
            wish: { role: event.target.value === 'org:admin' ? 'org:admin' : 'org:member' },
          })
        }
      >
        <option value="org:member">Member</option>
        <option value="org:admin">Admin</option>
      </select>
      {self ? null : member.active ? (
        <Button size="small" onClick={() => onStep('off')} aria-label={`Switch off ${name}`}>
          Switch off
        </Button>
      ) : (
        <Button
          size="small"
          busy={busy}
          aria-label={`Switch on ${name}`}
          onClick={() => change.mutate({ member, wish: { active: true } })}
        >
          Switch on
        </Button>
      )}
      {self ? null : (
        <Button
          size="small"
          kind="danger"
          onClick={() => onStep('remove')}
          aria-label={`Remove ${name}`}
        >
          Remove
        </Button>
      )}
    </>
  );
}

/** Who belongs to the organization. Admins change that; everybody may leave. */
export function Members({ session, context }: { session: Session; context: Context }) {
  const organization = context.account_id;
  const { data: members, error } = useQuery(membersQuery(organization));
  const [text, setText] = useState('');
  const [step, setStep] = useState<Step | null>(null);
  const change = useChange(organization);
  const admin = context.role === 'org:admin';
  const failure = error ?? change.error;
  const me = members?.find(({ id }) => id === session.user.id);
  const shown = found(members ?? [], text);
  return (
    <Section
      title="Members"
      lead={
        admin
          ? 'Admins see to everything; members use what there is and make keys of their own.'
          : 'Admins of the organization change who is here.'
      }
      aside={
        me ? (
          <Button size="small" kind="danger" onClick={() => setStep({ member: me, what: 'leave' })}>
            Leave
          </Button>
        ) : null
      }
    >
      {failure ? (
        <div className="px-4 pb-4 sm:px-5">
          <Note kind="danger">{inWords(failure)}</Note>
        </div>
      ) : null}
      {(members?.length ?? 0) > MANY ? (
        <div className="px-4 pb-4 sm:px-5">
          <Field
            label="Search"
            type="search"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      ) : null}
      <ul className="divide-y divide-line border-t border-line">
        {members === undefined && !error ? (
          <li className="px-4 py-3 sm:px-5">
            <Skeleton className="h-9" />
          </li>
        ) : null}
        {members !== undefined && shown.length === 0 ? (
          <li className="px-4 py-3 text-muted sm:px-5">
            Nobody has that in their name or address.
          </li>
        ) : null}
        {shown.map((member) => (
          <Row key={member.id} member={member} self={member === me}>
            {admin ? (
              <Controls
                member={member}
                self={member === me}
                change={change}
                onStep={(what) => setStep({ member, what })}
              />
            ) : (
              <span className="text-sm text-muted">{roleOf(member)}</span>
            )}
          </Row>
        ))}
      </ul>
      {step === null ? null : <Ask step={step} context={context} onEnd={() => setStep(null)} />}
    </Section>
  );
}
