import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';

import { useAct } from '@/lib/act.ts';
import { ApiFailure, call } from '@/lib/api.ts';
import { keptToken } from '@/lib/mailed-token.ts';
import { become } from '@/lib/presence.ts';
import { useReturn } from '@/lib/return.ts';
import { type Session, signIn, singleSignOn } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { LINK, Sheet } from '@/ui/page.tsx';
import { LEAST, Password } from '@/ui/password.tsx';

interface Wish {
  email: string;
  password: string;
  first_name?: string;
  last_name?: string;
  invitation?: string;
}

/**
 * Signs up, and in. The server says the same for every address; whoever has an account already gets
 * a letter instead, and is told to look for one here.
 */
async function enter(wish: Wish): Promise<Session | null> {
  await call('POST', '/api/v1/session/sign-up', wish);
  try {
    return await signIn({ email: wish.email, password: wish.password });
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 401) return null;
    throw error;
  }
}

export function SignUp() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const back = useReturn();
  const invitation = keptToken('invitation');
  const attempt = useAct({
    mutationFn: enter,
    onSuccess: (session) => {
      if (session === null) return;
      become(queries, session);
      if (session.user.email_verified) back.goBack();
      else void navigate({ to: '/verify-email', search: back.search, replace: true });
    },
  });
  if (attempt.isSuccess && attempt.data === null) {
    return (
      <Sheet
        title="Look at your mail"
        lead={
          <>
            A letter to <b className="font-medium text-ink">{attempt.variables.email}</b> says how
            to go on. Nothing there after some minutes? Look among the unwanted mail.
          </>
        }
      >
        <Button asChild wide>
          <Link to="/sign-in" search={back.search}>
            Sign in
          </Link>
        </Button>
      </Sheet>
    );
  }
  const elsewhereOnly = singleSignOn(attempt.error);
  return (
    <Sheet
      title="Sign up"
      lead={invitation ? 'Use the address that the invitation came to.' : undefined}
      foot={
        <>
          You have an account?{' '}
          <Link to="/sign-in" search={back.search} className={LINK}>
            Sign in
          </Link>
        </>
      }
    >
      {elsewhereOnly === null ? null : (
        <Note kind="caution">
          <p>People of this domain sign in at their organization’s identity provider.</p>
          <a
            href={`${elsewhereOnly}?${new URLSearchParams({ return_to: back.path })}`}
            className={LINK}
          >
            Continue there
          </a>
        </Note>
      )}
      <Form
        error={elsewhereOnly === null ? attempt.error : null}
        onSend={(texts) => {
          const [first, last] = [texts('first_name').trim(), texts('last_name').trim()];
          attempt.mutate({
            email: texts('email'),
            password: texts('password'),
            ...(first ? { first_name: first } : {}),
            ...(last ? { last_name: last } : {}),
            ...(invitation ? { invitation } : {}),
          });
        }}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="First name" name="first_name" autoComplete="given-name" maxLength={100} />
          <Field label="Last name" name="last_name" autoComplete="family-name" maxLength={100} />
        </div>
        <Field label="E-mail" name="email" type="email" autoComplete="username" required />
        <Password
          name="password"
          autoComplete="new-password"
          minLength={LEAST}
          hint={`At least ${LEAST} characters. A few plain words are fine.`}
        />
        <Button type="submit" kind="primary" wide busy={attempt.isPending}>
          Sign up
        </Button>
      </Form>
    </Sheet>
  );
}
