import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import { useAct } from '@/lib/act.ts';
import { call, inWords } from '@/lib/api.ts';
import { MEMBERS } from '@/lib/organization.ts';
import { useSwitch } from '@/lib/presence.ts';
import { type Data, nameOf, roleOf, type Session, sessionQuery } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';

function Create({ onDone }: { onDone: () => void }) {
  const queries = useQueryClient();
  const create = useAct({
    mutationFn: (name: string) =>
      call<Data<{ id: string }>>('POST', '/api/v1/session/organizations', { name }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey, exact: true });
      onDone();
    },
  });
  return (
    <Form error={create.error} onSend={(texts) => create.mutate(texts('name'))}>
      <Field
        label="Name"
        name="name"
        required
        maxLength={100}
        autoFocus
        autoComplete="organization"
        hint="An organization has its own credit, keys and workspaces. You are its admin."
      />
      <div className="flex gap-2">
        <Button type="submit" kind="primary" busy={create.isPending}>
          Create it
        </Button>
        <Button kind="quiet" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </Form>
  );
}

/** The organizations of a person, and a way to make one. */
export function Organizations({ session }: { session: Session }) {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const change = useSwitch();
  const opener = useRef<HTMLButtonElement>(null);
  const close = () => {
    flushSync(() => setOpen(false));
    opener.current?.focus();
  };
  const visit = (account: string) => {
    if (account === session.context.account_id) void navigate({ to: MEMBERS });
    else change.mutate(account);
  };
  const mine = session.contexts.filter(({ kind }) => kind === 'organization');
  const proven = session.user.email_verified;
  return (
    <Section
      title="Organizations"
      lead={
        proven
          ? 'They share credit, keys and workspaces among their members.'
          : 'They share credit, keys and workspaces among their members. Verify your e-mail to create one.'
      }
      aside={
        open ? null : (
          <Button ref={opener} size="small" disabled={!proven} onClick={() => setOpen(true)}>
            Create an organization
          </Button>
        )
      }
    >
      {change.error ? (
        <div className="px-4 pb-4 sm:px-5">
          <Note kind="danger">{inWords(change.error)}</Note>
        </div>
      ) : null}
      {open ? (
        <div className="max-w-md border-t border-line px-4 py-4 sm:px-5">
          <Create onDone={close} />
        </div>
      ) : null}
      {mine.length === 0 && !open ? (
        <p className="border-t border-line px-4 py-3 text-muted sm:px-5">
          You belong to none. Create one, or ask an admin for an invitation.
        </p>
      ) : null}
      {mine.length === 0 ? null : (
        <ul className="divide-y divide-line border-t border-line">
          {mine.map((one) => (
            <li
              key={one.account_id}
              className="flex items-center justify-between gap-4 px-4 py-2.5 sm:px-5"
            >
              <p className="min-w-0 truncate">
                {nameOf(one)} <span className="text-sm text-muted">{roleOf(one)}</span>
              </p>
              <Button
                size="small"
                busy={change.isPending && change.variables === one.account_id}
                onClick={() => visit(one.account_id)}
                aria-label={
                  one.account_id === session.context.account_id
                    ? `Members of ${nameOf(one)}`
                    : `Switch to ${nameOf(one)}`
                }
              >
                {one.account_id === session.context.account_id ? 'Members' : 'Switch'}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
