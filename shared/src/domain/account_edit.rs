use super::{Account, DisplayName, Edit, Guesses, Plan, Role, Username};

/// What an edit does with an account; absent is unchanged.
#[derive(Clone, Debug, Default)]
pub struct AccountEdit {
    pub name: Edit<DisplayName>,
    pub username: Edit<Username>,
    pub timezone: Edit<String>,
    pub language: Edit<String>,
    pub profile_private: Option<bool>,
    pub contact_public: Option<bool>,
    pub role: Option<Role>,
    pub plan: Option<Plan>,
    pub active: Option<bool>,
    pub verified: Option<bool>,
    /// Ends the lock and forgets the guesses.
    pub unlock: bool,
}

impl AccountEdit {
    /// Whether it leaves the account as it is.
    pub fn is_empty(&self) -> bool {
        let texts = [&self.timezone, &self.language].into_iter().all(Edit::is_unchanged);
        let flags = [self.profile_private, self.contact_public, self.active, self.verified];
        let acts = self.unlock || self.role.is_some() || self.plan.is_some();
        self.name.is_unchanged() && self.username.is_unchanged() && texts && flags.iter().all(Option::is_none) && !acts
    }

    /// The account after it.
    pub fn applied(&self, account: &Account) -> Account {
        let mut next = account.clone();
        next.name = self.name.applied(next.name);
        next.username = self.username.applied(next.username);
        next.timezone = self.timezone.applied(next.timezone);
        next.language = self.language.applied(next.language);
        next.profile_private = self.profile_private.unwrap_or(next.profile_private);
        next.contact_public = self.contact_public.unwrap_or(next.contact_public);
        next.role = self.role.unwrap_or(next.role);
        next.plan = self.plan.unwrap_or(next.plan);
        next.active = self.active.unwrap_or(next.active);
        next.verified = self.verified.unwrap_or(next.verified);
        if self.unlock {
            next.guesses = Guesses { generation: next.guesses.generation + 1, ..Guesses::default() };
        }
        if self.ends_sessions() {
            next.sessions.clear();
        }
        next
    }

    /// Whether the account's sessions end with it: of someone who is disabled none goes on (ASVS 7.4.2).
    pub fn ends_sessions(&self) -> bool {
        self.active == Some(false)
    }
}
