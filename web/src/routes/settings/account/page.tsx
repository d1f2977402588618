import { Navigate } from '@tanstack/react-router';

import { HOME } from '@/lib/return-path.ts';
import { useSession } from '@/lib/session.ts';
import { Page } from '@/ui/page.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';
import { ChangePassword } from './change-password.tsx';
import { Profile } from './profile.tsx';
import { SecondFactor } from './second-factor.tsx';
import { Sessions } from './sessions.tsx';

export function Account() {
  const { data: session, isPending } = useSession();
  if (isPending) {
    return (
      <Page title="Account">
        <Skeleton className="h-40 rounded-xl" />
        <Skeleton className="h-24 rounded-xl" />
        <Skeleton className="h-40 rounded-xl" />
      </Page>
    );
  }
  if (!session) return <Navigate to="/sign-in" search={{ return_to: HOME }} replace />;
  return (
    <Page title="Account">
      <Profile session={session} />
      <ChangePassword email={session.user.email} />
      <SecondFactor user={session.user} />
      <Sessions />
    </Page>
  );
}
