//! An operation of the API: what it is called, who may use it, what it takes and answers.
//!
//! The router and the OpenAPI document are both made of these, so neither can say what the other
//! does not do.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use tidings_core::permission::Permission;

use crate::App;
use crate::auth::{self, Access};
use crate::error::Problem;
use crate::limits::Purpose;

/// One operation.
pub(crate) struct Operation {
    /// In upper case.
    pub(crate) method: &'static str,
    /// As documented, `/v1/events/{id}`, actions with `:verb` at the end.
    pub(crate) path: &'static str,
    /// Its name, unique.
    pub(crate) id: &'static str,
    /// One sentence.
    pub(crate) summary: &'static str,
    /// Who may use it.
    pub(crate) access: Access,
    /// Parameters besides those in the path.
    pub(crate) parameters: Vec<Parameter>,
    /// Media types of its body with their schemas.
    pub(crate) takes: Vec<(&'static str, &'static str)>,
    /// What it answers when all is well.
    pub(crate) answers: Vec<Answer>,
    /// Faults that it ends in besides those that its parts say.
    pub(crate) faults: Vec<&'static Problem>,
    /// True where one says who one is in the body, so that guessing must be slow.
    pub(crate) is_sign_in: bool,
    /// False for the files of the page.
    pub(crate) is_documented: bool,
    handler: MethodRouter<App>,
}

/// A parameter of the query or the head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// `query` or `header`.
    pub(crate) place: &'static str,
    /// What it means.
    pub(crate) detail: &'static str,
}

/// What is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The media type; none without a body.
    pub(crate) media: Option<&'static str>,
    /// The schema's name; none where the bytes are not JSON.
    pub(crate) schema: Option<&'static str>,
}

/// Paths of what people do themselves: no program does it with a token in their name.
const PERSONAL: [&str; 5] =
    ["/v1/account", "/v1/session", "/v1/sso/{name}/link", "/v1/oauth/consent", "/v1/oauth/device"];

/// The media type of most bodies.
pub(crate) const JSON: &str = "application/json";

impl Operation {
    /// A read.
    pub(crate) fn get<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, handler: H) -> Self {
        Self::of("GET", MethodFilter::GET, path, id, handler)
    }

    /// A creation or an action.
    pub(crate) fn post<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, handler: H) -> Self {
        Self::of("POST", MethodFilter::POST, path, id, handler)
    }

    /// A change.
    pub(crate) fn patch<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, handler: H) -> Self {
        Self::of("PATCH", MethodFilter::PATCH, path, id, handler)
    }

    /// A replacement.
    pub(crate) fn put<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, handler: H) -> Self {
        Self::of("PUT", MethodFilter::PUT, path, id, handler)
    }

    /// A removal.
    pub(crate) fn delete<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, handler: H) -> Self {
        Self::of("DELETE", MethodFilter::DELETE, path, id, handler)
    }

    fn of<H: Handler<T, App>, T: 'static>(
        method: &'static str,
        filter: MethodFilter,
        path: &'static str,
        id: &'static str,
        handler: H,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary: "",
            access: Access::Key,
            parameters: Vec::new(),
            takes: Vec::new(),
            answers: Vec::new(),
            faults: Vec::new(),
            is_sign_in: false,
            is_documented: true,
            handler: on(filter, handler),
        }
    }

    pub(crate) fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    pub(crate) fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    pub(crate) fn query(mut self, name: &'static str, detail: &'static str) -> Self {
        self.parameters.push(Parameter { name, place: "query", detail });
        self
    }

    pub(crate) fn header(mut self, name: &'static str, detail: &'static str) -> Self {
        self.parameters.push(Parameter { name, place: "header", detail });
        self
    }

    pub(crate) fn takes(mut self, media: &'static str, schema: &'static str) -> Self {
        self.takes.push((media, schema));
        self
    }

    /// An answer in JSON.
    pub(crate) fn answers(self, status: u16, schema: &'static str) -> Self {
        self.answers_as(status, Some(JSON), Some(schema))
    }

    /// An answer of another kind.
    pub(crate) fn answers_as(mut self, status: u16, media: Option<&'static str>, schema: Option<&'static str>) -> Self {
        self.answers.push(Answer { status, media, schema });
        self
    }

    /// A fault that neither its access, nor its parameters, nor its body say.
    pub(crate) fn ends_in(mut self, problem: &'static Problem) -> Self {
        self.faults.push(problem);
        self
    }

    /// Holds it against the attempts to sign in.
    pub(crate) fn sign_in(self) -> Self {
        Self { is_sign_in: true, ..self }
    }

    /// Leaves it out of the OpenAPI document.
    pub(crate) fn undocumented(self) -> Self {
        Self { is_documented: false, ..self }
    }

    /// The handler behind its permission.
    pub(crate) fn into_handler(self, app: App) -> MethodRouter<App> {
        let purpose = match self.access {
            _ if self.is_sign_in => Purpose::SignIn,
            Access::Needs(Permission::EventsWrite) => Purpose::Publish,
            _ if self.takes.is_empty() => Purpose::Look,
            _ => Purpose::Send,
        };
        let is_personal = PERSONAL.iter().any(|prefix| self.path.starts_with(prefix));
        let gate = auth::Gate { app, access: self.access, route: self.path, operation: self.id, purpose, is_personal };
        self.handler.layer(axum::middleware::from_fn_with_state(gate, auth::pass))
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
