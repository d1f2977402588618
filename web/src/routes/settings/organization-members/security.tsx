import { useQueryClient } from '@tanstack/react-query';

import { useAct } from '@/lib/act.ts';
import { call } from '@/lib/api.ts';
import { useArrival } from '@/lib/arrival.ts';
import { at, type Connection, type Sso, ssoQuery } from '@/lib/organization.ts';
import type { Context, Data } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { ConnectionCard } from './connection.tsx';
import { Directories } from './directories.tsx';

function AddDomain({ organization, first }: { organization: string; first: boolean }) {
  const queries = useQueryClient();
  const add = useAct({
    mutationFn: (domain: string) =>
      call<Data<Connection>>('POST', `${at(organization)}/sso/connections`, { domain }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ssoQuery(organization).queryKey }),
  });
  return (
    <Section
      title="Add a domain"
      lead={
        first
          ? 'No domain is connected. Begin with the one behind the @ of your people’s addresses.'
          : 'Each domain has one connection. Subdomains are domains of their own.'
      }
    >
      <div className="border-t border-line px-4 py-4 sm:px-5">
        <Form
          className="grid max-w-xl gap-4 sm:grid-cols-[1fr_auto] sm:items-start"
          error={add.error}
          onSend={(texts) => add.mutate(texts('domain').trim())}
        >
          <Field
            label="Domain"
            name="domain"
            required
            placeholder="example.com"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
          <Button type="submit" kind="primary" className="sm:mt-6.5" busy={add.isPending}>
            Add it
          </Button>
        </Form>
      </div>
    </Section>
  );
}

/** The domains of an organization, the identity providers behind them, and their directories. */
export function Security({ context, sso }: { context: Context; sso: Sso }) {
  const arrival = useArrival();
  const organization = context.account_id;
  return (
    <>
      {arrival.problem === null ? null : (
        <Note kind="danger">The test failed. {arrival.problem}</Note>
      )}
      {arrival.done === null ? null : (
        <Note kind="good">The test succeeded: {arrival.done} can be activated.</Note>
      )}
      {sso.connections.map((one) => (
        <ConnectionCard key={one.id} organization={organization} one={one} />
      ))}
      <AddDomain
        key={sso.connections.length}
        organization={organization}
        first={sso.connections.length === 0}
      />
      {sso.connections.length > 0 ? (
        <Directories organization={organization} connections={sso.connections} />
      ) : null}
    </>
  );
}
