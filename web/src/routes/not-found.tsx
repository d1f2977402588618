import { Link } from '@tanstack/react-router';

import { Button } from '@/ui/button.tsx';
import { Sheet } from '@/ui/page.tsx';

export function NotFound() {
  return (
    <Sheet
      title="This page does not exist"
      lead={
        <>
          Nothing is at{' '}
          <code className="font-mono text-sm text-ink">{window.location.pathname}</code>. The
          address may be mistyped, or what was here is gone.
        </>
      }
    >
      <Button asChild wide>
        <Link to="/">Go to the start</Link>
      </Button>
    </Sheet>
  );
}
