import { Page } from '@/ui/page.tsx';
import { SignedIn } from '@/ui/signed-in.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';
import { ChangePassword } from './change-password.tsx';
import { Identities } from './identities.tsx';
import { Organizations } from './organizations.tsx';
import { Profile } from './profile.tsx';
import { SecondFactor } from './second-factor.tsx';
import { Sessions } from './sessions.tsx';

const waiting = (
  <Page title="Account">
    <Skeleton className="h-40 rounded-xl" />
    <Skeleton className="h-24 rounded-xl" />
    <Skeleton className="h-40 rounded-xl" />
  </Page>
);

export function Account() {
  return (
    <SignedIn waiting={waiting}>
      {(session) => (
        <Page title="Account">
          <Profile session={session} />
          <ChangePassword email={session.user.email} />
          <SecondFactor user={session.user} />
          <Identities user={session.user} />
          <Organizations session={session} />
          <Sessions />
        </Page>
      )}
    </SignedIn>
  );
}
