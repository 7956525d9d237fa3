//! The engine's tasks, each watched: one that ends by itself is seen by whoever runs the engine.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidings_core::port::{PortError, Retry};
use tokio::sync::watch;
use tracing::error;

/// How long the process goes on reading once a task has ended, after which a supervisor starts it
/// anew (DESIGN section 9); a caller does well to wait as long.
const UNTIL_RESTART: std::time::Duration = std::time::Duration::from_secs(30);

/// One task of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Resolves and commits what was taken in.
    Owner,
    /// Decides who is told.
    Notifier,
    /// Feeds the read view.
    Projector,
}

impl Role {
    /// Its name, as in metrics and health.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Notifier => "notifier",
            Self::Projector => "projector",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which tasks have ended although nobody asked them to.
#[derive(Debug)]
pub(crate) struct Roles {
    ended: watch::Sender<Vec<Role>>,
    stopping: AtomicBool,
    /// True while the read view refuses what it is given.
    pub view_fails: AtomicBool,
}

/// Says that a task has ended, by a return or by a panic, when it is dropped.
#[derive(Debug)]
pub(crate) struct OnDuty {
    role: Role,
    roles: Arc<Roles>,
}

impl Roles {
    /// All running.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            ended: watch::Sender::new(Vec::new()),
            stopping: AtomicBool::new(false),
            view_fails: AtomicBool::new(false),
        })
    }

    /// Runs a task; its end is noted, however it comes.
    pub fn spawn(
        self: &Arc<Self>,
        role: Role,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let duty = OnDuty { role, roles: Arc::clone(self) };
        tokio::spawn(async move {
            let _duty = duty;
            task.await;
        })
    }

    /// From now on tasks end because they are asked to.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// True where a task has ended by itself.
    pub fn has_ended(&self, role: Role) -> bool {
        self.ended.borrow().contains(&role)
    }

    /// Refuses to take anything in once a task has ended: what it leaves undone would not be seen.
    ///
    /// # Errors
    /// `Retry::After` the restart.
    pub fn check(&self) -> Result<(), PortError> {
        match self.ended.borrow().first() {
            None => Ok(()),
            Some(role) => Err(restarting(format!("the {role} has stopped"))),
        }
    }

    /// Returns once a task has ended by itself, with its role.
    pub async fn ended(&self) -> Role {
        let mut ended = self.ended.subscribe();
        let first = ended.wait_for(|ended| !ended.is_empty()).await.expect("self holds the sender");
        first[0]
    }
}

impl Drop for OnDuty {
    fn drop(&mut self) {
        if self.roles.stopping.load(Ordering::SeqCst) {
            return;
        }
        let cause = if std::thread::panicking() { "it panicked" } else { "see the line before" };
        error!(code = "task_ended", role = %self.role, "the {} has ended and intake with it: {cause}", self.role);
        self.roles.ended.send_modify(|ended| ended.push(self.role));
    }
}

/// Nothing is taken in until the process is started anew.
pub(crate) fn restarting(cause: impl Into<String>) -> PortError {
    let what = "accept a batch: nothing is taken in until the server has started anew".to_owned();
    PortError { what, retry: Retry::After(UNTIL_RESTART), source: Some(cause.into().into()) }
}
