import { useQuery } from '@tanstack/react-query';
import { Link, Navigate, type ParsedLocation, useRouter } from '@tanstack/react-router';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { ApiFailure, inWords } from '@/lib/api.ts';
import {
  type CodeWish,
  consent,
  type Decided,
  decidedWish,
  type Request,
  requested,
  Unreadable,
  wishOf,
  withCode,
} from '@/lib/consent.ts';
import { type Session, useSession } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Copied } from '@/ui/copy.tsx';
import { Note } from '@/ui/note.tsx';
import { Sheet } from '@/ui/page.tsx';
import { Unreachable } from '@/ui/signed-in.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';
import { Decision } from './decision.tsx';

const TITLE = 'Authorization request';

function Waiting() {
  return (
    <Sheet title={TITLE}>
      <Skeleton className="h-16" />
      <Skeleton className="h-32" />
      <Skeleton className="h-9" />
    </Sheet>
  );
}

/** A request that can't be granted. Its callback is shown as a text and never followed. */
function Refused({ why, callback }: { why: string; callback: string | undefined }) {
  return (
    <Sheet
      title="This request can't be granted"
      lead="Nothing was given to anybody. If you came from an app, tell its makers what is below."
    >
      <Note kind="danger">{why}</Note>
      {callback === undefined ? null : (
        <div className="grid gap-1 text-sm">
          <span className="text-muted">The app asked to send you to</span>
          <code className="rounded-md border border-line bg-sunken px-3 py-2 font-mono break-all">
            {callback.slice(0, 500)}
          </code>
        </div>
      )}
    </Sheet>
  );
}

function Denied({ app }: { app: string }) {
  return (
    <Sheet
      title="You said no"
      lead={`${app} got nothing. You can close this page, or go back to the app and try again.`}
    >
      <Button asChild wide>
        <Link to="/">Go to the start</Link>
      </Button>
    </Sheet>
  );
}

function Code({ code }: { code: string }) {
  return (
    <Sheet
      title="Your code"
      lead="Paste it where the app asks for it, within ten minutes. It works once."
    >
      <Copied text={code} label="Copy the code" />
      <Note kind="caution">
        Give it to nobody but the app that you came from: whoever has the code and its verifier gets
        the key.
      </Note>
    </Sheet>
  );
}

function Asked({ request, wish, session }: { request: Request; wish: CodeWish; session: Session }) {
  const [denied, setDenied] = useState(false);
  const grant = useAct({
    mutationFn: (decided: Decided) => consent(decidedWish(wish, request, decided)),
    onSuccess: (code) => {
      if (request.callback_url !== null) {
        window.location.replace(withCode(request.callback_url, code));
      }
    },
  });
  if (denied) return <Denied app={request.app_title} />;
  if (grant.isSuccess) {
    return request.callback_url === null ? (
      <Code code={grant.data} />
    ) : (
      <Sheet title={`Back to ${request.app_title}`} lead="The app gets its code now." />
    );
  }
  return (
    <Decision
      request={request}
      session={session}
      busy={grant.isPending}
      error={grant.error}
      onAuthorize={grant.mutate}
      onDeny={() => setDenied(true)}
    />
  );
}

/** The address that the app sent the person to, and what it asks for there. */
function request(at: ParsedLocation): { here: string; wish: CodeWish | Unreadable } {
  const here = at.pathname + at.searchStr;
  try {
    return { here, wish: wishOf(at.searchStr) };
  } catch (error) {
    if (error instanceof Unreadable) return { here, wish: error };
    throw error;
  }
}

export function Consent() {
  // Read once: on the way to another page the address is that page's already.
  const router = useRouter();
  const [{ here, wish }] = useState(() => request(router.state.location));
  const { data: session, isPending, error, refetch } = useSession();
  const readable = !(wish instanceof Unreadable);
  const proven = session?.user.email_verified === true;
  const checked = useQuery({
    queryKey: ['consent', here, session?.context.account_id],
    queryFn: () => requested(readable ? wish : {}),
    enabled: readable && proven,
    staleTime: Infinity,
    retry: false,
  });
  if (!readable) return <Refused why={wish.message} callback={undefined} />;
  if (isPending) return <Waiting />;
  if (session === undefined) return <Unreachable error={error} onAgain={() => void refetch()} />;
  if (session === null) return <Navigate to="/sign-in" search={{ return_to: here }} replace />;
  if (!proven) return <Navigate to="/verify-email" search={{ return_to: here }} replace />;
  if (checked.error) {
    const status = checked.error instanceof ApiFailure ? checked.error.status : 0;
    if (status === 401) return <Navigate to="/sign-in" search={{ return_to: here }} replace />;
    if (status === 0 || status === 429 || status >= 500) {
      return <Unreachable error={checked.error} onAgain={() => void checked.refetch()} />;
    }
    return <Refused why={inWords(checked.error)} callback={wish.callback_url} />;
  }
  if (!checked.data) return <Waiting />;
  return (
    <Asked key={checked.data.workspace_id} request={checked.data} wish={wish} session={session} />
  );
}
