import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { moment } from '@/lib/format.ts';
import { nameOf, roleOf, type Session } from '@/lib/session.ts';
import { LINK, Section } from '@/ui/page.tsx';

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid gap-x-4 px-4 py-2.5 sm:grid-cols-[10rem_1fr] sm:px-5">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}

export function Profile({ session }: { session: Session }) {
  const { user, context } = session;
  const name = [user.first_name, user.last_name].filter(Boolean).join(' ');
  return (
    <Section title="Profile">
      <dl className="divide-y divide-line border-t border-line">
        {name === '' ? null : <Row name="Name">{name}</Row>}
        <Row name="E-mail">
          {user.email}{' '}
          {user.email_verified ? (
            <span className="text-sm text-muted">verified</span>
          ) : (
            <Link to="/verify-email" className={LINK}>
              Verify it
            </Link>
          )}
        </Row>
        <Row name="Acting for">
          {nameOf(context)}
          {context.kind === 'organization' ? (
            <span className="text-sm text-muted"> as {roleOf(context)}</span>
          ) : null}
        </Row>
        <Row name="User id">
          <code className="font-mono text-sm">{user.id}</code>
        </Row>
        <Row name="Since">{moment(user.created_at)}</Row>
      </dl>
    </Section>
  );
}
