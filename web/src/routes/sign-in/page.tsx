import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { whyNot } from '@/lib/elsewhere.ts';
import { useReturn } from '@/lib/return.ts';
import {
  finishSignIn,
  needsCode,
  sessionQuery,
  signIn,
  type SignIn as Wish,
  useSession,
} from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
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
  const router = useRouter();
  // What a sign-in elsewhere left in the address.
  const [elsewhere] = useState(() => {
    const search: Record<string, unknown> = router.state.location.search;
    return { waits: search.second_factor === 'required', problem: whyNot(search.error) };
  });
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
  const finish = useMutation({
    mutationFn: finishSignIn,
    onSuccess: (opened) => {
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, opened);
    },
  });
  const signedIn = Boolean(session);
  useEffect(() => {
    if (signedIn) back.goBack();
  }, [signedIn, back]);

  if (elsewhere.waits && !signedIn) {
    return (
      <Sheet
        title="Second factor"
        lead="The provider knows you. Now show that you have your device."
        foot={
          <a href="/sign-in" className={LINK}>
            Sign in another way
          </a>
        }
      >
        <CodeForm busy={finish.isPending} error={finish.error} onSend={finish.mutate} />
      </Sheet>
    );
  }
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
      {elsewhere.problem !== null && attempt.isIdle && (
        <Note kind="danger">{elsewhere.problem}</Note>
      )}
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
