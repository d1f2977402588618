import { Link } from '@tanstack/react-router';

import { useAct } from '@/lib/act.ts';
import { call } from '@/lib/api.ts';
import { Button } from '@/ui/button.tsx';
import { Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { LINK, Sheet } from '@/ui/page.tsx';

export function ForgotPassword() {
  const ask = useAct({
    mutationFn: (email: string) => call('POST', '/api/v1/session/password/forgot', { email }),
  });
  const foot = (
    <Link to="/sign-in" className={LINK}>
      Back to signing in
    </Link>
  );
  if (ask.isSuccess) {
    return (
      <Sheet
        title="Look at your mail"
        foot={foot}
        lead={
          <>
            If there is an account with <b className="font-medium text-ink">{ask.variables}</b>, a
            letter is on its way. Its link sets a new password within an hour.
          </>
        }
      />
    );
  }
  return (
    <Sheet title="Set a new password" lead="A letter brings you a link that sets it." foot={foot}>
      <Form error={ask.error} onSend={(texts) => ask.mutate(texts('email'))}>
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
        />
        <Button type="submit" kind="primary" wide busy={ask.isPending}>
          Send the letter
        </Button>
      </Form>
    </Sheet>
  );
}
