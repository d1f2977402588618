import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { ApiFailure, call, inWords } from '@/lib/api.ts';
import { forgetToken, takeToken } from '@/lib/mailed-token.ts';
import { useReturn } from '@/lib/return.ts';
import { type Session, sessionQuery } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Note } from '@/ui/note.tsx';
import { Sheet } from '@/ui/page.tsx';
import { Unreachable } from '@/ui/signed-in.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';

/** Milliseconds between looks whether the link was opened in another window. */
const LOOK = 4_000;

function Waiting({ session }: { session: Session }) {
  const again = useAct({ mutationFn: () => call('POST', '/api/v1/session/email/send') });
  return (
    <Sheet
      title="Verify your e-mail"
      lead={
        <>
          Open the link in the letter to{' '}
          <b className="font-medium text-ink">{session.user.email}</b>, in this browser. This page
          goes on by itself.
        </>
      }
    >
      {again.isSuccess ? <Note kind="good">Another letter is on its way.</Note> : null}
      {again.error ? <Note kind="danger">{inWords(again.error)}</Note> : null}
      <Button wide busy={again.isPending} onClick={() => again.mutate()}>
        Send the letter again
      </Button>
    </Sheet>
  );
}

/** Shows the token once there is a session to show it with. */
function useProof(token: string | null, signedIn: boolean) {
  const queries = useQueryClient();
  const { mutate, ...proof } = useAct({
    mutationFn: (wanted: string) => call('POST', '/api/v1/session/email/verify', { token: wanted }),
    onSuccess: () => {
      forgetToken('verify');
      return queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
    onError: (error) => {
      if (error instanceof ApiFailure && error.status === 400) forgetToken('verify');
    },
  });
  useEffect(() => {
    if (token !== null && signedIn) mutate(token);
  }, [token, signedIn, mutate]);
  return proof;
}

export function VerifyEmail() {
  const [token] = useState(() => takeToken('verify'));
  const back = useReturn();
  const asked = useQuery({ ...sessionQuery, refetchInterval: LOOK });
  const { data: session, isPending } = asked;
  const proof = useProof(token, Boolean(session));
  const verified = session?.user.email_verified === true;
  const leaves = verified && token === null;
  useEffect(() => {
    if (leaves) back.goBack();
  }, [leaves, back]);

  if (isPending || leaves) {
    return (
      <Sheet title="Verify your e-mail">
        <Skeleton className="h-9" />
      </Sheet>
    );
  }
  if (session === undefined) {
    return <Unreachable error={asked.error} onAgain={() => void asked.refetch()} />;
  }
  if (session === null) {
    return (
      <Sheet
        title="Sign in to verify your e-mail"
        lead="The link shows that a letter reached you; signing in shows that it is your account."
      >
        <Button asChild wide kind="primary">
          <Link to="/sign-in" search={{ return_to: '/verify-email' }}>
            Sign in
          </Link>
        </Button>
      </Sheet>
    );
  }
  if (verified) {
    return (
      <Sheet
        title="Your e-mail is verified"
        lead={
          <>
            <b className="font-medium text-ink">{session.user.email}</b> is yours. If another window
            waits for this, it goes on by itself.
          </>
        }
      >
        <Button wide kind="primary" onClick={back.goBack}>
          Continue
        </Button>
      </Sheet>
    );
  }
  if (token !== null && proof.isPending) {
    return (
      <Sheet title="Verify your e-mail">
        <Skeleton className="h-9" />
      </Sheet>
    );
  }
  if (token !== null && proof.error) {
    return (
      <Sheet title="The link did not work" lead="It may be used or too old, or another account's.">
        <Note kind="danger">{inWords(proof.error)}</Note>
        <Button wide onClick={() => window.location.reload()}>
          Go on without it
        </Button>
      </Sheet>
    );
  }
  return <Waiting session={session} />;
}
