import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call, inWords } from '@/lib/api.ts';
import { moment } from '@/lib/format.ts';
import { at, type Invitation, invitationsQuery } from '@/lib/organization.ts';
import { type Role, roleOf } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Choice, Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';

function Invite({ organization }: { organization: string }) {
  const queries = useQueryClient();
  // Another form, and an empty one, after each that was sent.
  const [sent, setSent] = useState(0);
  const invite = useAct({
    mutationFn: (wish: { email: string; role: Role }) =>
      call('POST', `${at(organization)}/invitations`, wish),
    onSuccess: () => {
      setSent((count) => count + 1);
      return queries.invalidateQueries({ queryKey: invitationsQuery(organization).queryKey });
    },
  });
  return (
    <div className="grid gap-3 border-t border-line px-4 py-4 sm:px-5">
      {invite.isSuccess ? (
        <Note kind="good">A letter to {invite.variables.email} is on its way.</Note>
      ) : null}
      <Form
        key={sent}
        className="grid gap-4 sm:grid-cols-[1fr_9rem_auto] sm:items-start"
        error={invite.error}
        onSend={(texts) =>
          invite.mutate({
            email: texts('email').trim(),
            role: texts('role') === 'org:admin' ? 'org:admin' : 'org:member',
          })
        }
      >
        <Field
          label="E-mail"
          name="email"
          type="email"
          required
          autoComplete="off"
          autoFocus={sent > 0}
        />
        <Choice label="Role" name="role">
          <option value="org:member">Member</option>
          <option value="org:admin">Admin</option>
        </Choice>
        <Button type="submit" kind="primary" className="sm:mt-6.5" busy={invite.isPending}>
          Invite
        </Button>
      </Form>
    </div>
  );
}

function Open({ organization, one }: { organization: string; one: Invitation }) {
  const queries = useQueryClient();
  const revoke = useAct({
    mutationFn: () => call('DELETE', `${at(organization)}/invitations/${one.id}`),
    onSettled: () =>
      queries.invalidateQueries({ queryKey: invitationsQuery(organization).queryKey }),
  });
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-2.5 sm:px-5">
      <div className="min-w-0 grow basis-56">
        <p className="[overflow-wrap:anywhere]">{one.email}</p>
        <p className="text-sm text-muted">
          {roleOf(one)} · good until <time dateTime={one.expires_at}>{moment(one.expires_at)}</time>
        </p>
        {revoke.error ? (
          <p role="alert" className="text-sm text-danger">
            {inWords(revoke.error)}
          </p>
        ) : null}
      </div>
      <Button
        size="small"
        kind="danger"
        busy={revoke.isPending}
        aria-label={`Take back the invitation of ${one.email}`}
        onClick={() => revoke.mutate()}
      >
        Take back
      </Button>
    </li>
  );
}

/** Who may come in, and has not come yet. */
export function Invitations({ organization }: { organization: string }) {
  const { data: open, error } = useQuery(invitationsQuery(organization));
  return (
    <Section title="Invitations" lead="A letter with a link that is good for a week.">
      <Invite organization={organization} />
      {error ? (
        <div className="px-4 pb-4 sm:px-5">
          <Note kind="danger">{inWords(error)}</Note>
        </div>
      ) : null}
      <ul className="divide-y divide-line border-t border-line">
        {open === undefined && !error ? (
          <li className="px-4 py-3 sm:px-5">
            <Skeleton className="h-9" />
          </li>
        ) : null}
        {open?.length === 0 ? (
          <li className="px-4 py-3 text-muted sm:px-5">None is open.</li>
        ) : null}
        {open?.map((one) => (
          <Open key={one.id} organization={organization} one={one} />
        ))}
      </ul>
    </Section>
  );
}
