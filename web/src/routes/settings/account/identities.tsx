import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call, inWords } from '@/lib/api.ts';
import { useArrival } from '@/lib/arrival.ts';
import { ago, moment } from '@/lib/format.ts';
import { HOME } from '@/lib/return-path.ts';
import { type Data, providersQuery, type User } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Confirm } from '@/ui/confirm.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';

/** Who a person is elsewhere. */
interface Identity {
  id: string;
  provider: string;
  email: string | null;
  created_at: string;
  used_at: string;
}

const AT = '/api/v1/session/identities';
const identitiesQuery = {
  queryKey: ['identities'],
  queryFn: () => call<Data<Identity[]>>('GET', AT).then(({ data }) => data),
};

function Unlink({ one, name, onEnd }: { one: Identity; name: string; onEnd: () => void }) {
  const queries = useQueryClient();
  const unlink = useAct({
    mutationFn: () => call('DELETE', `${AT}/${one.id}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: identitiesQuery.queryKey });
      onEnd();
    },
  });
  return (
    <Confirm
      title={`Unlink ${name}?`}
      yes="Unlink it"
      busy={unlink.isPending}
      error={unlink.error}
      onYes={() => unlink.mutate()}
      onNo={onEnd}
    >
      <p>
        {one.email ?? 'This identity'} does not sign you in any more. Your other ways to sign in
        stay as they are.
      </p>
    </Confirm>
  );
}

function Row({ one, name, onUnlink }: { one: Identity; name: string; onUnlink: () => void }) {
  return (
    <li className="flex items-center justify-between gap-4 px-4 py-2.5 sm:px-5">
      <div className="min-w-0">
        <p className="truncate">
          {name}
          {one.email === null ? null : <span className="text-muted"> · {one.email}</span>}
        </p>
        <p className="text-sm text-muted">
          Linked{' '}
          <time dateTime={one.created_at} title={moment(one.created_at)}>
            {ago(one.created_at)}
          </time>
          , used{' '}
          <time dateTime={one.used_at} title={moment(one.used_at)}>
            {ago(one.used_at)}
          </time>
        </p>
      </div>
      <Button size="small" kind="danger" aria-label={`Unlink ${name}`} onClick={onUnlink}>
        Unlink
      </Button>
    </li>
  );
}

/** Other ways to sign in: those that are linked, and those that can be. */
export function Identities({ user }: { user: User }) {
  const arrival = useArrival();
  const [leaving, setLeaving] = useState<Identity | null>(null);
  const { data: providers = [] } = useQuery(providersQuery);
  const { data: identities, error } = useQuery(identitiesQuery);
  const link = useAct({
    mutationFn: (provider: string) =>
      call<Data<{ url: string }>>('POST', AT, { provider, return_to: HOME }),
    onSuccess: ({ data }) => window.location.assign(data.url),
  });
  const nameOf = (id: string) => providers.find((one) => one.id === id)?.name ?? id;
  const rest = providers.filter((one) => !identities?.some(({ provider }) => provider === one.id));
  // Where nobody else can say who people are, there is nothing to tell of it.
  if (providers.length === 0 && !identities?.length && !error) return null;
  const failure = link.error ?? error;
  return (
    <Section
      title="Signing in elsewhere"
      lead={
        user.email_verified
          ? 'Who else can say that it is you.'
          : 'Who else can say that it is you. Verify your e-mail to link somebody.'
      }
    >
      <div className="grid gap-3 px-4 pb-4 empty:hidden sm:px-5">
        {arrival.problem === null ? null : <Note kind="danger">{arrival.problem}</Note>}
        {arrival.done === null ? null : <Note kind="good">{nameOf(arrival.done)} is linked.</Note>}
        {failure ? <Note kind="danger">{inWords(failure)}</Note> : null}
      </div>
      <ul className="divide-y divide-line border-t border-line">
        {identities === undefined && !error ? (
          <li className="px-4 py-3 sm:px-5">
            <Skeleton className="h-9" />
          </li>
        ) : null}
        {identities?.length === 0 ? (
          <li className="px-4 py-3 text-muted sm:px-5">Nobody yet: your password signs you in.</li>
        ) : null}
        {identities?.map((one) => (
          <Row
            key={one.id}
            one={one}
            name={nameOf(one.provider)}
            onUnlink={() => setLeaving(one)}
          />
        ))}
      </ul>
      {rest.length > 0 && identities !== undefined ? (
        <div className="flex flex-wrap gap-2 border-t border-line px-4 py-3 sm:px-5">
          {rest.map((one) => (
            <Button
              key={one.id}
              size="small"
              disabled={!user.email_verified}
              busy={link.isPending && link.variables === one.id}
              onClick={() => link.mutate(one.id)}
            >
              Link {one.name}
            </Button>
          ))}
        </div>
      ) : null}
      {leaving === null ? null : (
        <Unlink one={leaving} name={nameOf(leaving.provider)} onEnd={() => setLeaving(null)} />
      )}
    </Section>
  );
}
