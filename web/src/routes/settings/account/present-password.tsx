import { Link } from '@tanstack/react-router';

import { LINK } from '@/ui/page.tsx';
import { Password } from '@/ui/password.tsx';

/** The password that somebody has, as a proof. Whoever always came from elsewhere has none yet. */
export function PresentPassword({ label }: { label: string }) {
  return (
    <Password
      label={label}
      name="password"
      autoComplete="current-password"
      autoFocus
      aside={
        <Link to="/forgot-password" className={`${LINK} text-sm`}>
          None, or forgotten?
        </Link>
      }
    />
  );
}
