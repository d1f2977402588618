import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { useReturn } from '@/lib/return.ts';
import { needsCode, sessionQuery, signIn, type SignIn as Wish, useSession } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { LINK, Sheet } from '@/ui/page.tsx';
import { Password } from '@/ui/password.tsx';
import { Providers } from './providers.tsx';

function CodeForm({
  onSend,
  busy,
  error,
}: {
  onSend: (code: string) => void;
  busy: boolean;
  error: unknown;
}) {
  return (
    <Form error={error} onSend={(texts) => onSend(texts('code').replaceAll(/\s/g, ''))}>
      <Field
        label="Code"
        name="code"
        autoComplete="one-time-code"
        autoFocus
        required
        className="font-mono tracking-widest"
        hint="Six digits from your authenticator app, or one of your recovery codes."
      />
      <Button type="submit" kind="primary" wide busy={busy}>
        Continue
      </Button>
    </Form>
  );
}

export function SignIn() {
  const queries = useQueryClient();
  const { data: session } = useSession();
  const back = useReturn();
  const [known, setKnown] = useState<Wish | null>(null);
  const attempt = useMutation({
    mutationFn: signIn,
    onSuccess: (opened) => {
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, opened);
    },
    onError: (error, wish) => {
      if (wish.code === undefined && needsCode(error)) setKnown(wish);
    },
  });
  const signedIn = Boolean(session);
  useEffect(() => {
    if (signedIn) back.goBack();
  }, [signedIn, back]);

  const asked = known !== null && attempt.variables?.code === undefined;
  if (known !== null) {
    return (
      <Sheet
        title="Second factor"
        lead={
          <>
            The password is right. Now show that you have the device of{' '}
            <b className="font-medium text-ink">{known.email}</b>.
          </>
        }
        foot={
          <button type="button" className={`${LINK} cursor-pointer`} onClick={() => setKnown(null)}>
            Sign in as somebody else
          </button>
        }
      >
        <CodeForm
          busy={attempt.isPending}
          error={asked ? null : attempt.error}
          onSend={(code) => attempt.mutate({ ...known, code })}
        />
      </Sheet>
    );
  }
  return (
    <Sheet
      title="Sign in"
      foot={
        <>
          No account yet?{' '}
          <Link to="/sign-up" search={back.search} className={LINK}>
            Sign up
          </Link>
        </>
      }
    >
      <Form
        error={attempt.error}
        onSend={(texts) => attempt.mutate({ email: texts('email'), password: texts('password') })}
      >
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
        />
        <Password
          name="password"
          autoComplete="current-password"
          aside={
            <Link to="/forgot-password" className={`${LINK} text-sm`}>
              Forgot it?
            </Link>
          }
        />
        <Button type="submit" kind="primary" wide busy={attempt.isPending}>
          Sign in
        </Button>
      </Form>
      <Providers path={back.path} />
    </Sheet>
  );
}
