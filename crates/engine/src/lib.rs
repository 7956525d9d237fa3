#![doc = include_str!("../README.md")]

mod engine;
mod roles;
mod pipeline;
mod owner;
mod expected;
mod records;
mod notifier;
mod projector;
mod control;
mod erasure;
mod quotas;
mod access;
mod used;
mod audit;
mod identity;
mod sso;
mod oauth;
pub mod token;
mod subscriptions;
mod reading;
mod explain;
mod inbox;
mod stream;
mod view;
mod dead_letters;
mod health;
mod metrics;

pub use access::{
    Admitted, Claim, Closed, NewHook, NewKey, NewServiceAccount, RoleDraft, RoleView, SecretKey, Speaker, TenantDraft,
    TenantView, Trust, TrustedIssuer, TrustedTenant,
};
pub use audit::{Asker, Refusal, actor};
pub use dead_letters::{DeadLetterFilter, DeadLetterGroup, DeadLetterPage, Replayed};
pub use engine::{Engine, Options, Ports, Running};
pub use explain::Explanation;
pub use health::Check;
pub use identity::{
    AccountView, Browser, EmailError, Enrollment, Entered, IdentityError, MemberState, MemberView, NewMember, Redeemed,
    SESSION_IDLE, SESSION_LONGEST, SessionView, SignIn,
};
pub use metrics::{
    AttemptLabels, ChannelLabels, Gauge, HttpLabels, IngestLabels, KindLabels, LimitLabels, Metrics, QueueLabels,
    ReaderLabels, Seconds, SecondsGauge, StageLabels, Stages, observe,
};
pub use oauth::{
    ClientChange, ClientDraft, ClientView, ConsentView, DeviceBegun, DeviceView, GrantType, Issued, NewSecret,
    OAuthError, Parameters, Scope, Scopes, ScopesError, Step as AuthorizeStep, TokenRequest, TokenView, UserInfo,
};
pub use quotas::{OverQuota, UsageView};
pub use reading::{EventPage, PageRequest};
pub use roles::Role;
pub use sso::{
    ApiTokens, Begun, CallbackFault, Finished, LoginView, NewProvider, ProviderKind, ProviderView, TokenType,
};
pub use stream::{InboxFrame, InboxReader, StreamError, TailFrame, TailReader};
pub use subscriptions::{ControlError, Fault, SubscriptionDraft, SubscriptionPatch};
pub use tidings_core::filter::Condition;
pub use view::{EventView, NotificationView, Step};
