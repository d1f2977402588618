import { useQueryClient } from '@tanstack/react-query';
import { Link, Navigate } from '@tanstack/react-router';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { ApiFailure, call, inWords } from '@/lib/api.ts';
import { forgetToken, takeToken } from '@/lib/mailed-token.ts';
import { useSwitch } from '@/lib/presence.ts';
import { HOME } from '@/lib/return-path.ts';
import { sessionQuery, useSession } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Sheet } from '@/ui/page.tsx';
import { Unreachable } from '@/ui/signed-in.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';

interface Organization {
  id: string;
  name: string;
}

const HERE = { return_to: '/invitations/accept' };

function Joined({ organization }: { organization: Organization }) {
  const change = useSwitch();
  if (change.isSuccess) return <Navigate to={HOME} replace />;
  return (
    <Sheet
      title={`You are in ${organization.name}`}
      lead="What you do for it is paid by it, and seen by its admins. You can change at the top of every page for whom you act."
    >
      {change.error ? <Note kind="danger">{inWords(change.error)}</Note> : null}
      <Button
        wide
        kind="primary"
        busy={change.isPending}
        onClick={() => change.mutate(organization.id)}
      >
        Act for {organization.name}
      </Button>
      <Button asChild wide>
        <Link to={HOME}>Stay with your own account</Link>
      </Button>
    </Sheet>
  );
}

export function AcceptInvitation() {
  const [token] = useState(() => takeToken('invitation'));
  const queries = useQueryClient();
  const { data: session, isPending, error, refetch } = useSession();
  const accept = useAct({
    mutationFn: () =>
      call<{ data: Organization }>('POST', '/api/v1/session/invitations/accept', { token }),
    onSuccess: async () => {
      forgetToken('invitation');
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  if (accept.isSuccess) return <Joined organization={accept.data.data} />;
  if (token === null) {
    return (
      <Sheet
        title="The link is not complete"
        lead="Open the link in the invitation once more, or ask for another one."
      />
    );
  }
  if (isPending) {
    return (
      <Sheet title="You are invited">
        <Skeleton className="h-9" />
      </Sheet>
    );
  }
  if (session === undefined) return <Unreachable error={error} onAgain={() => void refetch()} />;
  if (session === null) {
    return (
      <Sheet
        title="You are invited"
        lead="Sign in or sign up with the address that the invitation came to."
      >
        <div className="grid gap-2 sm:grid-cols-2">
          <Button asChild kind="primary">
            <Link to="/sign-in" search={HERE}>
              Sign in
            </Link>
          </Button>
          <Button asChild>
            <Link to="/sign-up" search={HERE}>
              Sign up
            </Link>
          </Button>
        </div>
      </Sheet>
    );
  }
  const gone = accept.error instanceof ApiFailure && accept.error.status === 404;
  return (
    <Sheet
      title="You are invited"
      lead={
        <>
          Accept as <b className="font-medium text-ink">{session.user.email}</b>. The admins of the
          organization will see your name and address.
        </>
      }
    >
      <Form
        onSend={() => accept.mutate()}
        error={
          gone
            ? new ApiFailure(404, 'This invitation is used, too old, or for another address.')
            : accept.error
        }
      >
        <Button type="submit" wide kind="primary" busy={accept.isPending}>
          Accept the invitation
        </Button>
      </Form>
    </Sheet>
  );
}
