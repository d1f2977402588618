import { Link } from '@tanstack/react-router';

import { useSession } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Copied } from '@/ui/copy.tsx';
import { Sheet } from '@/ui/page.tsx';

export function Home() {
  const { data: session } = useSession();
  return (
    <Sheet
      title="Every model behind one API"
      lead="Any OpenAI client works with this installation. Give it this base URL and a key."
      foot={
        <>
          <a
            className="rounded-xs underline underline-offset-3 hover:text-ink"
            href="/api/v1/models"
          >
            Models
          </a>{' '}
          and{' '}
          <a
            className="rounded-xs underline underline-offset-3 hover:text-ink"
            href="/api/v1/providers"
          >
            providers
          </a>{' '}
          as JSON
        </>
      }
    >
      <Copied text={`${window.location.origin}/api/v1`} />
      {session ? (
        <Button asChild wide kind="primary">
          <Link to="/settings/account">Your account</Link>
        </Button>
      ) : (
        <div className="grid gap-2 sm:grid-cols-2">
          <Button asChild kind="primary">
            <Link to="/sign-in">Sign in</Link>
          </Button>
          <Button asChild>
            <Link to="/sign-up">Sign up</Link>
          </Button>
        </div>
      )}
    </Sheet>
  );
}
