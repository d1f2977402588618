import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { call } from '@/lib/api.ts';
import { placesQuery, type Session, sessionQuery } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { LEAST, Password } from '@/ui/password.tsx';

interface Wish {
  password: string;
  new_password: string;
}

export function ChangePassword({ email }: { email: string }) {
  const [open, setOpen] = useState(false);
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (wish: Wish) => call<{ data: Session }>('POST', '/api/v1/session/password', wish),
    onSuccess: ({ data }) => {
      setOpen(false);
      queries.setQueryData(sessionQuery.queryKey, data);
      return queries.invalidateQueries({ queryKey: placesQuery.queryKey });
    },
  });
  return (
    <Section
      title="Password"
      lead="A new password signs you out everywhere else."
      aside={
        open ? null : (
          <Button size="small" onClick={() => setOpen(true)}>
            Change the password
          </Button>
        )
      }
    >
      {change.isSuccess && !open ? (
        <div className="px-4 pb-4 sm:px-5">
          <Note kind="good">The password is changed.</Note>
        </div>
      ) : null}
      {open ? (
        <div className="max-w-md border-t border-line px-4 py-4 sm:px-5">
          <Form
            error={change.error}
            onSend={(texts) =>
              change.mutate({ password: texts('password'), new_password: texts('new_password') })
            }
          >
            <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
            <Password
              label="Present password"
              name="password"
              autoComplete="current-password"
              autoFocus
            />
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
              <Button kind="quiet" onClick={() => setOpen(false)}>
                Cancel
              </Button>
            </div>
          </Form>
        </div>
      ) : null}
    </Section>
  );
}
