import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call, inWords } from '@/lib/api.ts';
import { ago, moment } from '@/lib/format.ts';
import { type Connection, SCIM_TOKENS, type ScimToken, tokensQuery } from '@/lib/organization.ts';
import { Button } from '@/ui/button.tsx';
import { Confirm } from '@/ui/confirm.tsx';
import { Copied } from '@/ui/copy.tsx';
import { Choice, Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';

interface Wish {
  connection_id: string;
  name: string;
}

/** A token that was made, the one time that it is shown. */
function Shown({ token, onDone }: { token: string; onDone: () => void }) {
  return (
    <div className="grid gap-3 border-t border-line px-4 py-4 sm:px-5">
      <Note kind="caution">
        This token is shown this once. Whoever has it decides who belongs to the organization.
      </Note>
      <Copied text={token} label="Copy the token" />
      <p className="text-sm text-muted">The base address that the directory calls is</p>
      <Copied text={`${window.location.origin}/scim/v2`} label="Copy the address" />
      <div>
        <Button size="small" kind="primary" onClick={onDone}>
          I have kept it
        </Button>
      </div>
    </div>
  );
}

function Make({ organization, connections }: { organization: string; connections: Connection[] }) {
  const queries = useQueryClient();
  const [token, setToken] = useState<string | null>(null);
  const make = useAct({
    mutationFn: (wish: Wish) => call<{ token: string }>('POST', SCIM_TOKENS, wish),
    onSuccess: (made) => {
      setToken(made.token);
      return queries.invalidateQueries({ queryKey: tokensQuery(organization).queryKey });
    },
  });
  if (token !== null) return <Shown token={token} onDone={() => setToken(null)} />;
  return (
    <div className="border-t border-line px-4 py-4 sm:px-5">
      <Form
        className="grid gap-4 sm:grid-cols-[1fr_1fr_auto] sm:items-start"
        error={make.error}
        onSend={(texts) =>
          make.mutate({ connection_id: texts('connection_id'), name: texts('name').trim() })
        }
      >
        <Field label="Name" name="name" maxLength={100} placeholder="Okta" autoComplete="off" />
        <Choice label="Domain" name="connection_id">
          {connections.map((one) => (
            <option key={one.id} value={one.id}>
              {one.domain}
            </option>
          ))}
        </Choice>
        <Button type="submit" kind="primary" className="sm:mt-6.5" busy={make.isPending}>
          Make a token
        </Button>
      </Form>
    </div>
  );
}

function TakeBack({
  organization,
  one,
  onEnd,
}: {
  organization: string;
  one: ScimToken;
  onEnd: () => void;
}) {
  const queries = useQueryClient();
  const remove = useAct({
    mutationFn: () => call('DELETE', `${SCIM_TOKENS}/${one.id}`),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: tokensQuery(organization).queryKey });
      onEnd();
    },
  });
  return (
    <Confirm
      title={`Take ${one.name || 'the token'} back?`}
      yes="Take it back"
      busy={remove.isPending}
      error={remove.error}
      onYes={() => remove.mutate()}
      onNo={onEnd}
    >
      <p>
        The directory can’t add or deactivate anybody with it any more. Members stay as they are.
      </p>
    </Confirm>
  );
}

/** The tokens of directories that provision people by SCIM. */
export function Directories({
  organization,
  connections,
}: {
  organization: string;
  connections: Connection[];
}) {
  const { data: tokens, error } = useQuery(tokensQuery(organization));
  const [leaving, setLeaving] = useState<ScimToken | null>(null);
  const domainOf = (id: string) => connections.find((one) => one.id === id)?.domain ?? '';
  return (
    <Section
      title="Directories"
      lead="An identity provider that speaks SCIM 2.0 adds and deactivates members by itself."
    >
      <Make organization={organization} connections={connections} />
      {error ? (
        <div className="px-4 pb-4 sm:px-5">
          <Note kind="danger">{inWords(error)}</Note>
        </div>
      ) : null}
      <ul className="divide-y divide-line border-t border-line">
        {tokens === undefined && !error ? (
          <li className="px-4 py-3 sm:px-5">
            <Skeleton className="h-9" />
          </li>
        ) : null}
        {tokens?.length === 0 ? (
          <li className="px-4 py-3 text-muted sm:px-5">There is no token yet.</li>
        ) : null}
        {tokens?.map((one) => (
          <li
            key={one.id}
            className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-2.5 sm:px-5"
          >
            <div className="min-w-0 grow basis-56">
              <p className="[overflow-wrap:anywhere]">
                {one.name || 'Without a name'}{' '}
                <span className="text-muted">· {domainOf(one.connection_id)}</span>
              </p>
              <p className="text-sm text-muted">
                Made {moment(one.created_at)},{' '}
                {one.last_used_at === null ? 'never used' : `used ${ago(one.last_used_at)}`}
              </p>
            </div>
            <Button
              size="small"
              kind="danger"
              aria-label={`Take back ${one.name || 'the token'}`}
              onClick={() => setLeaving(one)}
            >
              Take back
            </Button>
          </li>
        ))}
      </ul>
      {leaving === null ? null : (
        <TakeBack organization={organization} one={leaving} onEnd={() => setLeaving(null)} />
      )}
    </Section>
  );
}
