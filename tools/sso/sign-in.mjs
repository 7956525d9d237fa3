// A browser without a screen: goes from our button through another provider's forms and back, with its
// cookies. Usage: node sign-in.mjs SERVER PROVIDER [oidc-provider|keycloak] LOGIN; prints who one is then.

const [server, name, kind, login] = process.argv.slice(2);
const jars = new Map();

// Cookies of ports are not told apart by browsers, but they are by what set them here.
async function ask(url, options = {}) {
  const { origin } = new URL(url);
  const jar = jars.get(origin) ?? jars.set(origin, new Map()).get(origin);
  const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join("; ");
  const answer = await fetch(url, { redirect: "manual", ...options, headers: { ...options.headers, cookie } });
  for (const line of answer.headers.getSetCookie()) {
    const [key, value] = line.split(";")[0].split(/=(.*)/s);
    if (value) jar.set(key, value);
    else jar.delete(key);
  }
  return answer;
}

const plain = (text) => text.replaceAll("&amp;", "&").replaceAll("&#x2F;", "/");

// Follows what a browser follows, and fills in each form once.
async function go(url) {
  for (let step = 0; step < 20; step += 1) {
    const answer = await ask(url);
    const next = answer.headers.get("location");
    if (next) {
      url = new URL(next, url).href;
      if (url.startsWith(`${server}/`) && !url.includes("/callback")) return url;
      continue;
    }
    const page = await answer.text();
    const action = page.match(/<form[^>]*action="([^"]+)"/)?.[1];
    if (!action) throw new Error(`no way on from ${url} (${answer.status}): ${page.slice(0, 500)}`);
    const hidden = [...page.matchAll(/<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)];
    const fields = new URLSearchParams(hidden.map(([, key, value]) => [key, value]));
    if (kind === "keycloak") {
      fields.set("username", login);
      fields.set("password", "a password");
    } else if (page.includes('name="login"')) {
      fields.set("login", login);
      fields.set("password", "anything");
    }
    const sent = await ask(new URL(plain(action), url), { method: "POST", body: fields });
    const after = sent.headers.get("location");
    if (!after) throw new Error(`the form of ${url} was answered ${sent.status}: ${(await sent.text()).slice(0, 500)}`);
    url = new URL(after, url).href;
    if (url.startsWith(`${server}/`) && !url.includes("/callback")) return url;
  }
  throw new Error("too many steps");
}

const end = await go(`${server}/sso/${name}/start?next=/`);
const me = await (await ask(`${server}/v1/me`)).json();
const account = await (await ask(`${server}/v1/account`)).json();
console.log(JSON.stringify({ at: end.slice(server.length), role: me.role, email: account.email }));
