/** The sign of the house: a semaphore that says clear. */
export function Mark({ className = 'size-5' }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <g fill="none" stroke="var(--accent-ink)" strokeWidth="2.6" strokeLinecap="round">
        <path d="M11 26V7" />
        <path d="M11 10.5 23 6" strokeWidth="4" />
        <path d="M7.5 26h7" />
      </g>
      <circle cx="19.5" cy="20" r="3" fill="var(--accent-ink)" />
    </svg>
  );
}
