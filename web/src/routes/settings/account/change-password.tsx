import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import { useAct } from '@/lib/act.ts';
import { call } from '@/lib/api.ts';
import { placesQuery, type Session, sessionQuery } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { LEAST, Password } from '@/ui/password.tsx';
import { PresentPassword } from './present-password.tsx';

interface Wish {
  password: string;
  new_password: string;
}

function Change({ email, onDone }: { email: string; onDone: (changed: boolean) => void }) {
  const queries = useQueryClient();
  const change = useAct({
    mutationFn: (wish: Wish) => call<{ data: Session }>('POST', '/api/v1/session/password', wish),
    onSuccess: ({ data }) => {
      queries.setQueryData(sessionQuery.queryKey, data);
      onDone(true);
      return queries.invalidateQueries({ queryKey: placesQuery.queryKey });
    },
  });
  return (
    <Form
      error={change.error}
      onSend={(texts) =>
        change.mutate({ password: texts('password'), new_password: texts('new_password') })
      }
    >
      <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
      <PresentPassword label="Present password" />
      <Password
        label="New password"
        name="new_password"
        autoComplete="new-password"
        minLength={LEAST}
        hint={`At least ${LEAST} characters.`}
      />
      <div className="flex gap-2">
        <Button type="submit" kind="primary" busy={change.isPending}>
          Change it
        </Button>
        <Button kind="quiet" onClick={() => onDone(false)}>
          Cancel
        </Button>
      </div>
    </Form>
  );
}

export function ChangePassword({ email }: { email: string }) {
  const [open, setOpen] = useState(false);
  const [changed, setChanged] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const close = (done: boolean) => {
    flushSync(() => {
      setOpen(false);
      setChanged(done);
    });
    opener.current?.focus();
  };
  return (
    <Section
      title="Password"
      lead="A new password signs you out everywhere else."
      aside={
        open ? null : (
          <Button ref={opener} size="small" onClick={() => setOpen(true)}>
            Change the password
          </Button>
        )
      }
    >
      {changed && !open ? (
        <div className="px-4 pb-4 sm:px-5">
          <Note kind="good">The password is changed.</Note>
        </div>
      ) : null}
      {open ? (
        <div className="max-w-md border-t border-line px-4 py-4 sm:px-5">
          <Change email={email} onDone={close} />
        </div>
      ) : null}
    </Section>
  );
}
