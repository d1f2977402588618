import { useQueryClient } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { whyNot } from '@/lib/elsewhere.ts';
import { become } from '@/lib/presence.ts';
import { useReturn } from '@/lib/return.ts';
import {
  finishSignIn,
  needsCode,
  signIn,
  singleSignOn,
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
        autoCapitalize="none"
        spellCheck={false}
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
  const attempt = useAct({
    mutationFn: signIn,
    onSuccess: (opened) => become(queries, opened),
    onError: (error, wish) => {
      if (wish.code === undefined && needsCode(error)) setKnown(wish);
    },
  });
  const finish = useAct({
    mutationFn: finishSignIn,
    onSuccess: (opened) => become(queries, opened),
  });
  const signedIn = Boolean(session);
  // Whoever failed to sign in anew is still signed in, and is told that before they go on.
  const stays = signedIn && elsewhere.problem !== null && attempt.isIdle;
  useEffect(() => {
    if (signedIn && !stays) back.goBack();
  }, [signedIn, stays, back]);

  if (stays) {
    return (
      <Sheet title="Signing in elsewhere failed" lead="You are signed in here all the same.">
        <Note kind="danger">{elsewhere.problem}</Note>
        <Button wide kind="primary" onClick={back.goBack}>
          Go on
        </Button>
      </Sheet>
    );
  }
  if (elsewhere.waits && !signedIn) {
    return (
      <Sheet
        title="Second factor"
        lead="The provider knows you. Now show that you have your device."
        foot={
          <a href={`/sign-in?${new URLSearchParams(back.search)}`} className={LINK}>
            Sign in another way
          </a>
        }
      >
        <CodeForm busy={finish.isPending} error={finish.error} onSend={finish.mutate} />
      </Sheet>
    );
  }
  const elsewhereOnly = singleSignOn(attempt.error);
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
