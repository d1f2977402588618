import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call } from '@/lib/api.ts';
import { at, type Connection, ssoQuery } from '@/lib/organization.ts';
import { Button } from '@/ui/button.tsx';
import { Copied } from '@/ui/copy.tsx';
import { Field } from '@/ui/field.tsx';
import { Form, type Texts } from '@/ui/form.tsx';

interface Edit {
  issuer: string;
  client_id: string;
  client_secret?: string;
}

function editOf(texts: Texts): Edit {
  const secret = texts('client_secret');
  return {
    issuer: texts('issuer').trim(),
    client_id: texts('client_id').trim(),
    ...(secret === '' ? {} : { client_secret: secret }),
  };
}

/** Which identity provider it is, and who this installation is there. */
export function ProviderForm({ organization, one }: { organization: string; one: Connection }) {
  const queries = useQueryClient();
  const connected = one.issuer !== null;
  const [open, setOpen] = useState(!connected);
  const save = useAct({
    mutationFn: (edit: Edit) =>
      call('PATCH', `${at(organization)}/sso/connections/${one.id}`, edit),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ssoQuery(organization).queryKey });
      setOpen(false);
    },
  });
  if (one.origin !== 'self-serve' || !open) {
    return (
      <div className="grid justify-items-start gap-3">
        <p className="text-sm [overflow-wrap:anywhere] text-muted">
          <span className="text-ink">{one.issuer}</span>, where this installation is{' '}
          <code className="font-mono text-ink">{one.client_id}</code>
          {one.has_client_secret ? ', with a secret.' : ', without a secret.'}
        </p>
        {one.origin !== 'self-serve' ? null : (
          <Button size="small" onClick={() => setOpen(true)}>
            Change it
          </Button>
        )}
      </div>
    );
  }
  return (
    <>
      <p className="text-sm text-muted">
        Register this installation there as a web application of OpenID Connect, with this address
        to come back to.
      </p>
      <Copied text={one.redirect_uri} label="Copy the address" />
      <Form
        className="grid max-w-xl gap-4"
        error={save.error}
        onSend={(texts) => save.mutate(editOf(texts))}
      >
        <Field
          label="Issuer"
          name="issuer"
          type="url"
          required
          defaultValue={one.issuer ?? ''}
          placeholder="https://example.okta.com"
          autoComplete="off"
        />
        <Field
          label="Client id"
          name="client_id"
          required
          defaultValue={one.client_id ?? ''}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
        <Field
          label="Client secret"
          name="client_secret"
          type="password"
          autoComplete="off"
          hint={
            one.has_client_secret
              ? 'There is one. Leave this empty to keep it; another issuer forgets it.'
              : 'Empty for a client without one.'
          }
        />
        <div className="flex gap-2">
          <Button type="submit" kind="primary" size="small" busy={save.isPending}>
            Connect it
          </Button>
          {connected ? (
            <Button size="small" kind="quiet" onClick={() => setOpen(false)}>
              Cancel
            </Button>
          ) : null}
        </div>
      </Form>
    </>
  );
}
