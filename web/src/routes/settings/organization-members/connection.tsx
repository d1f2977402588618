import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call, inWords } from '@/lib/api.ts';
import { moment } from '@/lib/format.ts';
import { at, type Connection, MEMBERS, ssoQuery, stage } from '@/lib/organization.ts';
import type { Data } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Confirm } from '@/ui/confirm.tsx';
import { Copied } from '@/ui/copy.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { Tag } from '@/ui/tag.tsx';
import { ProviderForm } from './provider-form.tsx';

function usePath(organization: string, one: Connection) {
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: ssoQuery(organization).queryKey });
  return { path: `${at(organization)}/sso/connections/${one.id}` as const, again };
}

/** One of the steps to a connection that is in use. */
function Step({
  number,
  title,
  done,
  children,
}: {
  number: number;
  title: string;
  /** What is told of it once it is done. */
  done: string | null;
  children: ReactNode;
}) {
  return (
    <li className="grid gap-3 px-4 py-4 sm:px-5">
      <h3 className="flex flex-wrap items-center gap-2 font-medium">
        <span className="text-muted">{number}.</span> {title}
        {done === null ? null : <Tag kind="good">{done}</Tag>}
      </h3>
      {children}
    </li>
  );
}

function Labelled({ label, text }: { label: string; text: string }) {
  return (
    <div className="grid gap-1">
      <dt className="text-sm text-muted">{label}</dt>
      <dd>
        <Copied text={text} label={`Copy the ${label.toLowerCase()}`} />
      </dd>
    </div>
  );
}

function Prove({ organization, one }: { organization: string; one: Connection }) {
  const { path, again } = usePath(organization, one);
  const verify = useAct({ mutationFn: () => call('POST', `${path}/verify`), onSuccess: again });
  return (
    <>
      <p className="text-sm text-muted">
        Publish a {one.dns.type} record with these at the registrar of {one.domain}. Most append the
        domain to what is typed as host; where yours does not, the whole name is{' '}
        <code className="font-mono break-all text-ink">{one.dns.name}</code>.
      </p>
      <dl className="grid gap-3">
        <Labelled label="Host" text={one.dns.host} />
        <Labelled label="Value" text={one.dns.value} />
      </dl>
      {verify.error ? <Note kind="danger">{inWords(verify.error)}</Note> : null}
      <div>
        <Button size="small" kind="primary" busy={verify.isPending} onClick={() => verify.mutate()}>
          Verify the domain
        </Button>
      </div>
    </>
  );
}

function Test({ organization, one }: { organization: string; one: Connection }) {
  const { path } = usePath(organization, one);
  const test = useAct({
    mutationFn: () =>
      call<Data<{ url: string }>>('POST', `${path}/test`, {
        return_to: `${MEMBERS}?tab=security`,
      }),
    onSuccess: ({ data }) => window.location.assign(data.url),
  });
  return (
    <>
      <p className="text-sm text-muted">
        Sign in at the identity provider with an account of {one.domain}. You come back here as who
        you are now.
      </p>
      {test.error ? <Note kind="danger">{inWords(test.error)}</Note> : null}
      <div>
        <Button
          size="small"
          busy={test.isPending}
          disabled={one.issuer === null || one.client_id === null}
          onClick={() => test.mutate()}
        >
          Test the connection
        </Button>
      </div>
    </>
  );
}

/** In use or not: what follows is said first. */
function Switch({ organization, one }: { organization: string; one: Connection }) {
  const { path, again } = usePath(organization, one);
  const [asks, setAsks] = useState(false);
  const active = one.status === 'active';
  const change = useAct({
    mutationFn: () => call('PATCH', path, { status: active ? 'disabled' : 'active' }),
    onSuccess: async () => {
      await again();
      setAsks(false);
    },
  });
  return (
    <>
      <div>
        <Button
          size="small"
          kind={active ? 'danger' : 'primary'}
          disabled={!active && stage(one) !== 'activate'}
          onClick={() => setAsks(true)}
        >
          {active ? 'Disable it' : 'Activate it'}
        </Button>
      </div>
      {asks ? (
        <Confirm
          title={active ? `Disable ${one.domain}?` : `Activate ${one.domain}?`}
          yes={active ? 'Disable it' : 'Activate it'}
          kind={active ? 'danger' : 'primary'}
          busy={change.isPending}
          error={change.error}
          onYes={() => change.mutate()}
          onNo={() => setAsks(false)}
        >
          <p>
            {active
              ? `People of ${one.domain} sign in with their passwords again, as far as they have one.`
              : `From then on everybody of ${one.domain}, you too if that is your domain, signs in at the identity provider and in no other way. Sessions that are open go on.`}
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function Delete({ organization, one }: { organization: string; one: Connection }) {
  const { path, again } = usePath(organization, one);
  const [asks, setAsks] = useState(false);
  const remove = useAct({
    mutationFn: () => call('DELETE', path),
    onSuccess: async () => {
      setAsks(false);
      await again();
    },
  });
  return (
    <>
      <Button
        size="small"
        kind="danger"
        aria-label={`Delete ${one.domain}`}
        onClick={() => setAsks(true)}
      >
        Delete
      </Button>
      {asks ? (
        <Confirm
          title={`Delete ${one.domain}?`}
          yes="Delete it"
          busy={remove.isPending}
          error={remove.error}
          onYes={() => remove.mutate()}
          onNo={() => setAsks(false)}
        >
          <p>
            Its people sign in as they did before and stay members. What its directory pushed as
            groups goes, with the workspaces that they opened.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

const STATUS = {
  pending: ['plain', 'Pending'],
  active: ['good', 'Active'],
  disabled: ['caution', 'Disabled'],
} as const;

/** A domain and what is behind it, step by step. */
export function ConnectionCard({ organization, one }: { organization: string; one: Connection }) {
  const [kind, status] = STATUS[one.status];
  const own = one.origin === 'self-serve';
  const connected = one.issuer !== null && one.client_id !== null;
  return (
    <Section
      title={one.domain}
      lead={
        <span className="flex flex-wrap items-center gap-2">
          <Tag kind={kind}>{status}</Tag>
          {own ? null : 'Set up by the operator of this installation.'}
        </span>
      }
      aside={<Delete organization={organization} one={one} />}
    >
      <ol className="divide-y divide-line border-t border-line">
        <Step
          number={1}
          title="Prove the domain"
          done={one.verified_at === null ? null : `Proven ${moment(one.verified_at)}`}
        >
          {one.verified_at === null ? <Prove organization={organization} one={one} /> : null}
        </Step>
        <Step
          number={2}
          title="Connect the identity provider"
          done={connected ? 'Connected' : null}
        >
          <ProviderForm key={one.issuer} organization={organization} one={one} />
        </Step>
        <Step
          number={3}
          title="Test it"
          done={one.tested_at === null ? null : `Tested ${moment(one.tested_at)}`}
        >
          {one.verified_at === null ? (
            <p className="text-sm text-muted">The domain comes first.</p>
          ) : (
            <Test organization={organization} one={one} />
          )}
        </Step>
        <Step number={4} title="Use it" done={one.status === 'active' ? 'In use' : null}>
          <Switch organization={organization} one={one} />
        </Step>
      </ol>
    </Section>
  );
}
