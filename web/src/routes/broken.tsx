import { Button } from '@/ui/button.tsx';
import { Sheet } from '@/ui/page.tsx';

/** What is shown when a page fails by its own fault, or can't be loaded. */
export function Broken() {
  return (
    <Sheet
      title="This page broke"
      lead="That is a fault of the page, not of what you did. Nothing of yours was changed by it."
    >
      <Button wide kind="primary" onClick={() => window.location.reload()}>
        Load it again
      </Button>
    </Sheet>
  );
}
