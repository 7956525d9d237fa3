//! The audit log: who changed what, and who was refused, as a chain that shows every later change.
//!
//! Each entry holds the hash of the one before it in its tenant, and its own hash over everything
//! else, so an entry cannot be altered, left out or put in without the ones after it showing it. Who
//! keeps the newest hash elsewhere also sees where entries were cut off the end.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{GrantId, KeyId, LoginId, SessionId, TenantId, UserId};
use crate::principal::Credential;
use crate::time::Timestamp;

/// What stands before the first entry.
pub const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Whose tenant they are of; another one than the entry's where the operator changed something.
    pub tenant: TenantId,
    /// Who.
    pub user: UserId,
    /// By which key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// In which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// By a token of which grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// By a token of another issuer, and as whom there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginId>,
}

impl Actor {
    /// One who was let in by a credential.
    pub fn new(tenant: TenantId, user: UserId, credential: Credential) -> Self {
        let (mut key, mut session, mut grant, mut login) = (None, None, None, None);
        match credential {
            Credential::Key(id) => key = Some(id),
            Credential::Session(id) => session = Some(id),
            Credential::Token { grant: id, .. } => grant = Some(id),
            Credential::Login { login: id, .. } => login = Some(id),
        }
        Self { tenant, user, key, session, grant, login }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// They may not.
    Denied,
}

/// One entry. Its members are hashed as JSON in this order, the hash itself left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Whose log it is in.
    pub tenant: TenantId,
    /// From 1, without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who asked; none where the server did it by itself, or nobody said who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// What they did, like `key.create`.
    pub action: String,
    /// To what: an id or a name.
    pub target: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// What it was before; never a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is now, or what was asked for in vain; never a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// How many times the same was refused in a row, where more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Follows the request everywhere.
    pub correlation_id: String,
    /// The hash of the entry before it, in lower-case hexadecimal.
    pub previous: String,
    /// SHA-256 of all the above as JSON without blanks, in lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

/// Where the chain of a tenant ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEnd {
    /// The number of the last entry; 0 before the first.
    pub number: u64,
    /// Its hash.
    pub hash: String,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry is not there, or one is there twice.
    #[error("entry {expected} is missing: the next one is {found}")]
    Missing {
        /// The number that comes next.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// An entry says something else than when it was written.
    #[error("entry {0} was altered: its hash is not that of what it says")]
    Altered(u64),
    /// An entry does not follow the one before it.
    #[error("entry {0} does not follow the one before it: that one was altered or replaced")]
    Unlinked(u64),
}

impl AuditEntry {
    /// Gives it its place at the end of a chain.
    pub fn seal(&mut self, end: &mut ChainEnd) {
        self.number = end.number + 1;
        self.previous.clone_from(&end.hash);
        self.hash = self.hash_of_rest();
        *end = ChainEnd { number: self.number, hash: self.hash.clone() };
    }

    fn hash_of_rest(&self) -> String {
        let rest = Self { hash: String::new(), ..self.clone() };
        let text = serde_json::to_vec(&rest).expect("an entry is plain data");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Default for ChainEnd {
    fn default() -> Self {
        Self { number: 0, hash: NO_HASH.to_owned() }
    }
}

impl ChainEnd {
    /// Goes on over entries, oldest first.
    ///
    /// # Errors
    /// The first place where they are not the chain that was written.
    pub fn verify<'a>(mut self, entries: impl IntoIterator<Item = &'a AuditEntry>) -> Result<Self, Broken> {
        for entry in entries {
            let (expected, found) = (self.number + 1, entry.number);
            if found != expected {
                return Err(Broken::Missing { expected, found });
            }
            if entry.previous != self.hash {
                return Err(Broken::Unlinked(found));
            }
            if entry.hash != entry.hash_of_rest() {
                return Err(Broken::Altered(found));
            }
            self = Self { number: found, hash: entry.hash.clone() };
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: u64) -> Vec<AuditEntry> {
        let mut end = ChainEnd::default();
        let entry = |number: u64| AuditEntry {
            tenant: TenantId::default_tenant(),
            number: 0,
            at: Timestamp::from_millis(number as i64),
            actor: None,
            action: "key.create".to_owned(),
            target: format!("key {number}"),
            outcome: AuditOutcome::Done,
            before: None,
            after: Some(serde_json::json!({ "role": "viewer" })),
            times: None,
            correlation_id: "c".to_owned(),
            previous: String::new(),
            hash: String::new(),
        };
        let sealed = (1..=length).map(|number| {
            let mut entry = entry(number);
            entry.seal(&mut end);
            entry
        });
        sealed.collect()
    }

    fn check(change: impl FnOnce(&mut Vec<AuditEntry>), expected: Broken) {
        let mut entries = chain(5);
        change(&mut entries);
        assert_eq!(ChainEnd::default().verify(&entries), Err(expected));
    }

    #[test]
    fn a_chain_as_it_was_written_holds_also_after_it_was_read_back() {
        let entries = chain(5);
        let text = serde_json::to_string(&entries).unwrap();
        let read: Vec<AuditEntry> = serde_json::from_str(&text).unwrap();
        let end = ChainEnd::default().verify(&read[..2]).unwrap();
        assert_eq!(end.verify(&read[2..]).unwrap(), ChainEnd { number: 5, hash: entries[4].hash.clone() });
    }

    #[test]
    fn every_change_shows() {
        check(|entries| entries[2].target = "another".to_owned(), Broken::Altered(3));
        check(|entries| entries[2].after = None, Broken::Altered(3));
        check(|entries| entries[2].at = Timestamp::from_millis(9), Broken::Altered(3));
        check(|entries| entries[2].times = Some(2), Broken::Altered(3));
        check(|entries| drop(entries.remove(2)), Broken::Missing { expected: 3, found: 4 });
        check(|entries| entries.insert(2, entries[1].clone()), Broken::Missing { expected: 3, found: 2 });
        check(|entries| entries.swap(2, 3), Broken::Missing { expected: 3, found: 4 });
        // Altered and hashed anew: the next one shows it.
        let rewrite = |entries: &mut Vec<AuditEntry>| {
            entries[2].target = "another".to_owned();
            entries[2].hash = entries[2].hash_of_rest();
        };
        check(rewrite, Broken::Unlinked(4));
    }
}
