/** The sign of the house: a signal whose lower lamp says clear. */
export function Mark({ className = 'size-5' }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <g fill="none" stroke="var(--accent-ink)">
        <rect x="9.5" y="3.5" width="13" height="25" rx="6.5" strokeWidth="2.2" />
        <circle cx="16" cy="10.2" r="2.6" strokeWidth="1.8" />
      </g>
      <circle cx="16" cy="21.4" r="3.5" fill="var(--accent-ink)" />
    </svg>
  );
}
