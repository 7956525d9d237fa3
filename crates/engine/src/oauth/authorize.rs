//! A client asks a person, in their browser, to be let in (RFC 6749, section 4.1.1; OpenID Connect Core,
//! section 3.1.2).
//!
//! The order of the checks matters: nothing is sent anywhere before the client and the address are known
//! to belong together.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidings_core::id::{ClientId, GrantId, TenantId, UserId};
use tidings_core::port::{PortError, Shelf};
use tidings_core::principal::{Credential, Principal};
use tidings_core::time::Timestamp;

use super::client::{ClientRecord, GrantType};
use super::parameters::{Parameters, query_of};
use super::redirect;
use super::scopes::Scopes;
use super::{CODE_LIFETIME, GRANT_LONGEST};
use crate::engine::Engine;
use crate::identity::{Opener, SessionRecord, draw_secret, key_of_secret, session_key};
use crate::records::{Loaded, RecordChanges, Shelved, WriteFault};

/// A sign-in that a client asked for anew is new for so long, in milliseconds.
const FRESH: i64 = 60 * 1_000;
/// The same while the person reads what they are asked, in milliseconds.
const FRESH_WHILE_READING: i64 = 10 * 60 * 1_000;
/// Bytes of `state` and `nonce`, at most.
const ECHO_BYTES_MAX: usize = 1_000;

/// What is to happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The browser goes to this address, which is the client's.
    Back(String),
    /// The person signs in, and comes here again.
    SignIn,
    /// The person is asked.
    Ask,
    /// The person is told what is wrong, and the browser goes nowhere.
    Stop(&'static str),
}

/// An authorization code as it is kept, by its hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CodeRecord {
    pub client: ClientId,
    pub redirect_uri: String,
    pub challenge: String,
    /// The grant that it makes.
    pub grant: GrantId,
    pub tenant: TenantId,
    pub user: UserId,
    pub sign_outs: u64,
    pub scopes: Scopes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    pub authenticated: Timestamp,
    /// Until when it can be used.
    pub good_until: Timestamp,
    #[serde(default)]
    pub is_used: bool,
}

impl Shelved for CodeRecord {
    const SHELF: Shelf = Shelf::Code;
}

/// A request whose client and address belong together, and which asks for what it may.
#[derive(Debug)]
pub(super) struct Request {
    pub client: ClientRecord,
    pub redirect_uri: String,
    pub state: Option<String>,
    pub scopes: Scopes,
    nonce: Option<String>,
    challenge: String,
    prompts: Vec<String>,
    max_age: Option<i64>,
}

/// Why a request gets no further.
#[derive(Debug)]
pub(super) enum Wrong {
    /// Nobody knows where an answer may go.
    Stop(&'static str),
    /// The client is told.
    Back { redirect_uri: String, state: Option<String>, code: &'static str, detail: &'static str },
}

/// A person who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub user: UserId,
    pub sign_outs: u64,
    pub authenticated: Timestamp,
    /// False where a provider let them in that does not tell when they showed it who they are.
    is_dated: bool,
}

/// `code_challenge` with S256: SHA-256 in base64url (RFC 7636, section 4.2).
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl Engine {
    /// Decides on a request of a client, as far as it can be decided without asking the person.
    /// `decision` is what they answered.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn authorize(
        self: &Arc<Self>,
        parameters: &Parameters,
        session: Option<&Principal>,
        decision: Option<bool>,
    ) -> Result<Step, PortError> {
        let request = match self.judge_request(parameters).await? {
            Ok(request) => request,
            Err(Wrong::Stop(why)) => return Ok(Step::Stop(why)),
            Err(Wrong::Back { redirect_uri, state, code, detail }) => {
                return Ok(Step::Back(self.refusal(&redirect_uri, state.as_deref(), code, detail)));
            }
        };
        let back =
            |code, detail| Ok(Step::Back(self.refusal(&request.redirect_uri, request.state.as_deref(), code, detail)));
        let is_silent = request.asks("none");
        let person = match session {
            Some(principal) => self.person_in(principal, &request.client.tenant).await?,
            None => None,
        };
        let person = person.filter(|person| request.takes(person, self.ports.clock.now(), decision.is_some()));
        let Some(person) = person else {
            return if is_silent { back("login_required", "nobody is signed in") } else { Ok(Step::SignIn) };
        };
        if self.member(&request.client.tenant, person.user).await?.is_none() {
            return back("access_denied", "the person is not in the client's tenant");
        }
        let is_asked = request.asks("consent") || request.asks("select_account");
        let is_known = !is_asked && self.has_consent(&request, person.user).await?;
        match decision {
            Some(false) => return back("access_denied", "the person said no"),
            Some(true) => self.keep_consent(session, &request, person.user).await?,
            None if (request.client.is_first_party || is_known) && !request.may_be_anyone() => {}
            None if is_silent => return back("consent_required", "the person has to be asked"),
            None => return Ok(Step::Ask),
        }
        Ok(Step::Back(self.grant_code(&request, &person).await?))
    }

    /// Judges a request in the order that keeps strangers from sending anyone anywhere.
    pub(super) async fn judge_request(&self, parameters: &Parameters) -> Result<Result<Request, Wrong>, PortError> {
        if parameters.repeats("client_id") || parameters.repeats("redirect_uri") {
            return Ok(Err(Wrong::Stop("`client_id` or `redirect_uri` stands there twice.")));
        }
        let client = match parameters.get("client_id") {
            Some(id) => self.client_named(id).await?,
            None => None,
        };
        let Some(client) = client else {
            return Ok(Err(Wrong::Stop("The program that sent you here is not registered with this server.")));
        };
        let uri = parameters.get("redirect_uri").filter(|uri| client.address_of(uri).is_some());
        let Some(uri) = uri.map(str::to_owned) else {
            let why = "The program that sent you here wants the answer at an address that it is not registered with.";
            return Ok(Err(Wrong::Stop(why)));
        };
        Ok(Request::read(client, uri, parameters, self.public_url()))
    }

    /// Whoever is signed in as a person in a browser; sessions of keys are nobody's.
    pub(super) async fn person_in(
        &self,
        principal: &Principal,
        tenant: &TenantId,
    ) -> Result<Option<Person>, PortError> {
        let Credential::Session(id) = principal.credential else { return Ok(None) };
        let Some(session) = self.load_known::<SessionRecord>(session_key(id)).await? else { return Ok(None) };
        let Opener::Account { user, sign_outs, tenant: entered, by, proved } = &session.value.opener else {
            return Ok(None);
        };
        // A provider is believed in its own tenant, and not about who one is elsewhere.
        if by.is_some() && entered != tenant {
            return Ok(None);
        }
        let authenticated = proved.map_or(session.value.created, |proved| proved.min(session.value.created));
        let is_dated = by.is_none() || proved.is_some();
        Ok(Some(Person { user: *user, sign_outs: *sign_outs, authenticated, is_dated }))
    }

    async fn grant_code(&self, request: &Request, person: &Person) -> Result<String, PortError> {
        let now = self.ports.clock.now();
        let code = CodeRecord {
            client: request.client.id,
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            grant: GrantId::from_bytes(self.draw_id()),
            tenant: request.client.tenant.clone(),
            user: person.user,
            sign_outs: person.sign_outs,
            scopes: request.scopes,
            nonce: request.nonce.clone(),
            authenticated: person.authenticated,
            good_until: now.plus_millis(CODE_LIFETIME),
            is_used: false,
        };
        let secret = draw_secret(self);
        let key = key_of_secret(Shelf::Code, secret.reveal());
        let changes = RecordChanges::default().create(key, &code, Some(now.plus_millis(CODE_LIFETIME)));
        match self.write_records(None, changes, None).await {
            Ok(()) => {}
            Err(WriteFault::Conflict) => return Err(PortError::later("make a code", "it was drawn twice")),
            Err(WriteFault::Store(fault)) => return Err(fault),
        }
        let mut pairs = vec![("code", secret.reveal().as_str())];
        pairs.extend(request.state.as_deref().map(|state| ("state", state)));
        Ok(self.back_to(&request.redirect_uri, pairs))
    }

    fn refusal(&self, uri: &str, state: Option<&str>, code: &'static str, detail: &'static str) -> String {
        let mut pairs = vec![("error", code), ("error_description", detail)];
        pairs.extend(state.map(|state| ("state", state)));
        self.back_to(uri, pairs)
    }

    /// The client's address with an answer, which says whose it is (RFC 9207).
    fn back_to<'a>(&'a self, uri: &str, mut pairs: Vec<(&'a str, &'a str)>) -> String {
        pairs.push(("iss", self.public_url()));
        let separator = if uri.contains('?') { '&' } else { '?' };
        format!("{uri}{separator}{}", query_of(&pairs))
    }
}

impl Request {
    /// True where nothing tells the client from any other program on the person's machine: it has no secret,
    /// and waits at a port that all of them can take. Its person is asked each time (RFC 8252, section 8.6).
    fn may_be_anyone(&self) -> bool {
        !self.client.is_confidential && redirect::is_on_any_port(&self.redirect_uri)
    }

    fn read(client: ClientRecord, redirect_uri: String, parameters: &Parameters, issuer: &str) -> Result<Self, Wrong> {
        let state = parameters.get("state").filter(|state| state.len() <= ECHO_BYTES_MAX).map(str::to_owned);
        let scopes = match judge(&client, parameters, issuer) {
            Ok(scopes) => scopes,
            Err((code, detail)) => return Err(Wrong::Back { redirect_uri, state, code, detail }),
        };
        let prompts = parameters.get("prompt").unwrap_or_default().split(' ').map(str::to_owned).collect();
        Ok(Self {
            client,
            redirect_uri,
            state,
            scopes,
            nonce: parameters.get("nonce").map(str::to_owned),
            challenge: parameters.get("code_challenge").unwrap_or_default().to_owned(),
            prompts,
            max_age: parameters.get("max_age").and_then(|age| age.parse().ok()),
        })
    }

    fn asks(&self, prompt: &str) -> bool {
        self.prompts.iter().any(|asked| asked == prompt)
    }

    /// True where the person has shown who they are lately enough. Someone who was just sent to sign in
    /// is not sent there again.
    fn takes(&self, person: &Person, now: Timestamp, is_reading: bool) -> bool {
        let fresh = if is_reading { FRESH_WHILE_READING } else { FRESH };
        let bound = if self.asks("login") { Some(0) } else { self.max_age.map(|age| age.saturating_mul(1_000)) };
        bound.is_none_or(|bound| person.is_dated && now.millis_since(person.authenticated) <= bound.max(fresh))
    }
}

/// The scopes of a request that is right, or what is wrong with it.
fn judge(client: &ClientRecord, parameters: &Parameters, issuer: &str) -> Result<Scopes, (&'static str, &'static str)> {
    if parameters.repeats_any() {
        return Err(("invalid_request", "a parameter stands there twice"));
    }
    if parameters.get("request").is_some() {
        return Err(("request_not_supported", "request objects are not taken"));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "request objects are not taken"));
    }
    let is_too_long = |name| parameters.get(name).is_some_and(|value: &str| value.len() > ECHO_BYTES_MAX);
    if is_too_long("state") || is_too_long("nonce") {
        return Err(("invalid_request", "`state` and `nonce` have at most 1000 bytes"));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "`response_type` is `code`")),
        None => return Err(("invalid_request", "`response_type` is missing")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "`response_mode` is `query`"));
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(("unauthorized_client", "this client does not come by tokens like this"));
    }
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "`code_challenge_method` is S256: PKCE is asked of every client"));
    }
    if !parameters.get("code_challenge").is_some_and(is_challenge) {
        return Err(("invalid_request", "`code_challenge` is 43 letters of base64url: PKCE is asked of every client"));
    }
    if parameters.get("max_age").is_some_and(|age| age.parse::<u32>().is_err()) {
        return Err(("invalid_request", "`max_age` is a number of seconds"));
    }
    judge_prompt(parameters.get("prompt").unwrap_or_default())?;
    if parameters.get("resource").is_some_and(|resource| resource.trim_end_matches('/') != issuer) {
        return Err(("invalid_target", "the only resource here is this server"));
    }
    let scopes = parameters.get("scope").unwrap_or_default().parse::<Scopes>();
    let scopes = scopes.map_err(|_| ("invalid_scope", "one of the scopes is not known"))?;
    if scopes.is_empty() || !scopes.are_within(client.scopes) {
        return Err(("invalid_scope", "`scope` names one at least, and only those of the client"));
    }
    Ok(scopes)
}

fn judge_prompt(prompt: &str) -> Result<(), (&'static str, &'static str)> {
    let words: Vec<&str> = prompt.split(' ').filter(|word| !word.is_empty()).collect();
    let is_known = |word: &&str| ["none", "login", "consent", "select_account"].contains(word);
    if !words.iter().all(is_known) || words.contains(&"none") && words.len() > 1 {
        return Err(("invalid_request", "`prompt` is none, or some of login, consent and select_account"));
    }
    Ok(())
}

impl Loaded<CodeRecord> {
    /// How long a used code is remembered, so that a second use is noticed.
    pub(super) fn remembered_until(now: Timestamp) -> Timestamp {
        now.plus_millis(GRANT_LONGEST.min(24 * 60 * 60 * 1_000))
    }
}
