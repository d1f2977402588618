import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call } from '@/lib/api.ts';
import { forgetToken, takeToken } from '@/lib/mailed-token.ts';
import { become } from '@/lib/presence.ts';
import { Button } from '@/ui/button.tsx';
import { Form } from '@/ui/form.tsx';
import { Sheet } from '@/ui/page.tsx';
import { LEAST, Password } from '@/ui/password.tsx';

export function ResetPassword() {
  const [token] = useState(() => takeToken('reset'));
  const queries = useQueryClient();
  const set = useAct({
    mutationFn: (password: string) =>
      call('POST', '/api/v1/session/password/reset', { token, password }),
    onSuccess: () => {
      forgetToken('reset');
      become(queries, null);
    },
  });
  if (set.isSuccess) {
    return (
      <Sheet
        title="The new password is set"
        lead="You are signed out everywhere. Sign in with the new password."
      >
        <Button asChild wide kind="primary">
          <Link to="/sign-in">Sign in</Link>
        </Button>
      </Sheet>
    );
  }
  if (token === null) {
    return (
      <Sheet
        title="The link is not complete"
        lead="Open the link in the letter once more, or ask for another letter."
      >
        <Button asChild wide>
          <Link to="/forgot-password">Ask for another letter</Link>
        </Button>
      </Sheet>
    );
  }
  return (
    <Sheet title="Set a new password" lead="All places where you are signed in will be signed out.">
      <Form error={set.error} onSend={(texts) => set.mutate(texts('password'))}>
        <Password
          label="New password"
          name="password"
          autoComplete="new-password"
          minLength={LEAST}
          autoFocus
          hint={`At least ${LEAST} characters. A few plain words are fine.`}
        />
        <Button type="submit" kind="primary" wide busy={set.isPending}>
          Set the password
        </Button>
      </Form>
    </Sheet>
  );
}
