import { Navigate, useRouter } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

import { inWords } from '@/lib/api.ts';
import { type Session, useSession } from '@/lib/session.ts';
import { Button } from './button.tsx';
import { Note } from './note.tsx';
import { Sheet } from './page.tsx';

/** Instead of a page, when what it needs can't be had. */
export function Unreachable({ error, onAgain }: { error: unknown; onAgain: () => void }) {
  return (
    <Sheet title="This page can't be shown now" lead="Nothing was changed by that.">
      <Note kind="danger">{inWords(error)}</Note>
      <Button wide kind="primary" onClick={onAgain}>
        Try again
      </Button>
    </Sheet>
  );
}

/** Sends a person to sign in, and back here afterwards. */
export function ToSignIn() {
  const router = useRouter();
  // Read once: on the way to another page the address is that page's already.
  const [{ href, pathname }] = useState(() => router.state.location);
  if (pathname === '/sign-in') return null;
  return <Navigate to="/sign-in" search={{ return_to: href }} replace />;
}

/** A page for whoever is signed in. Everybody else signs in first, and comes back to it. */
export function SignedIn({
  waiting,
  children,
}: {
  /** What is there until it is known who that is. */
  waiting: ReactNode;
  children: (session: Session) => ReactNode;
}) {
  const { data: session, error, refetch } = useSession();
  if (session) return children(session);
  if (session === null) return <ToSignIn />;
  if (error) return <Unreachable error={error} onAgain={() => void refetch()} />;
  return waiting;
}
