// An identity provider: oidc-provider with its own pages for signing in, and one client. Arguments: the port,
// the addresses that the client may be sent back to.
import { Provider } from "oidc-provider";

const [port, ...redirects] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  ada: { email: "ada@example.com", email_verified: true, given_name: "Ada", family_name: "Lovelace" },
  eve: { email: "eve@example.com", email_verified: false },
};
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "signalbox",
      client_secret: "a secret: with + and /",
      redirect_uris: redirects,
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["given_name", "family_name"],
  },
  pkce: { required: () => true },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
});
provider.listen(Number(port), "127.0.0.1");
