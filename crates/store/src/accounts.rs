//! Accounts: persons with their desk and roles, their sessions, and tokens for machines. Secrets come hashed.

use model::{Desk, Role, Timestamp};
use rusqlite::{Row, params};

use crate::columns::{self, coded_enum};
use crate::connection::{Db, Tx};
use crate::error::StoreError;
use crate::ids::PersonId;

coded_enum!(
    /// May a person log in?
    PersonState {
        /// Yes.
        Active = (0, "active"),
        /// Not until an administrator says so.
        Locked = (1, "locked"),
    }
);

/// An account to be made.
#[derive(Clone)]
pub struct NewPerson<'a> {
    /// What the person types.
    pub login: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The password, as Argon2 hashed it (PHC string).
    pub password_hash: &'a str,
    /// The secret of one-time codes (RFC 6238).
    pub totp_secret: Option<&'a [u8]>,
    /// At which desk.
    pub desk: Desk,
    /// With which roles.
    pub roles: &'a [Role],
    /// When it is made.
    pub created: Timestamp,
}

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Which.
    pub id: PersonId,
    /// What the person types.
    pub login: String,
    /// Its name.
    pub name: String,
    /// The password, as Argon2 hashed it (PHC string).
    pub password_hash: String,
    /// The secret of one-time codes (RFC 6238).
    pub totp_secret: Option<Vec<u8>>,
    /// At which desk.
    pub desk: Desk,
    /// With which roles.
    pub roles: Vec<Role>,
    /// May it log in?
    pub state: PersonState,
    /// When it was made.
    pub created: Timestamp,
    /// Wrong passwords since the last right one.
    pub failed: u32,
    /// Until when it waits after too many of them.
    pub locked_until: Option<Timestamp>,
    /// The last time step whose one-time code was used: each is good once.
    pub totp_last_step: u64,
}

/// A token with which a machine acts as a person.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Its name, of which there is one.
    pub name: String,
    /// As whom it acts.
    pub person: PersonId,
    /// Until when; `None` without end.
    pub expires: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

/// A session of a person that has logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the cookie's value.
    pub hash: [u8; 32],
    /// Whose.
    pub person: PersonId,
    /// Since when.
    pub created: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// What unsafe requests must show beside the cookie.
    pub csrf: [u8; 32],
}

macro_rules! quiet {
    ($($name:ident by $field:ident),+) => {$(
        impl std::fmt::Debug for $name {
            // Secrets and personal data never reach a log by way of a debug print.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field(stringify!($field), &self.$field).finish_non_exhaustive()
            }
        }
    )+};
}
quiet!(PersonRow by id, TokenRow by person, SessionRow by person);

macro_rules! select_person {
    ($rest:literal) => {
        concat!(
            "SELECT id, login, name, password_hash, totp_secret, desk, roles, state, created, failed, locked_until, \
             totp_last_step FROM person ",
            $rest
        )
    };
}

fn person_row(row: &Row<'_>) -> Result<PersonRow, StoreError> {
    let words: String = row.get(6)?;
    let roles = words
        .split(',')
        .filter(|word| !word.is_empty())
        .map(|word| word.parse::<Role>().map_err(|_| StoreError::corrupt(format!("`{word}` is not a role"))));
    Ok(PersonRow {
        id: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        password_hash: row.get(3)?,
        totp_secret: row.get(4)?,
        desk: columns::parsed(row, 5, "desk")?,
        roles: roles.collect::<Result<_, _>>()?,
        state: columns::coded(row, 7, "state of a person", PersonState::from_code)?,
        created: columns::time(row, 8)?,
        failed: row.get(9)?,
        locked_until: columns::time_opt(row, 10)?,
        totp_last_step: columns::count(row, 11)?,
    })
}

fn role_words(roles: &[Role]) -> String {
    roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(",")
}

fn token_row(row: &Row<'_>) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        hash: row.get(0)?,
        name: row.get(1)?,
        person: row.get(2)?,
        expires: columns::time_opt(row, 3)?,
        created: columns::time(row, 4)?,
        last_used: columns::time_opt(row, 5)?,
    })
}

fn session_row(row: &Row<'_>) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        hash: row.get(0)?,
        person: row.get(1)?,
        created: columns::time(row, 2)?,
        expires: columns::time(row, 3)?,
        csrf: row.get(4)?,
    })
}

impl Db<'_> {
    /// One account.
    ///
    /// # Errors
    /// The database.
    pub fn person(&self, id: PersonId) -> Result<Option<PersonRow>, StoreError> {
        self.one(select_person!("WHERE id = ?1"), [id], person_row)
    }

    /// The account of a login.
    ///
    /// # Errors
    /// The database.
    pub fn person_by_login(&self, login: &str) -> Result<Option<PersonRow>, StoreError> {
        self.one(select_person!("WHERE login = ?1"), [login], person_row)
    }

    /// Every account, by login.
    ///
    /// # Errors
    /// The database.
    pub fn persons(&self) -> Result<Vec<PersonRow>, StoreError> {
        self.all(select_person!("ORDER BY login"), [], person_row)
    }

    /// The token of a hash, also one that has run out.
    ///
    /// # Errors
    /// The database.
    pub fn token_by_hash(&self, hash: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        let sql = "SELECT hash, name, person, expires, created, last_used FROM token WHERE hash = ?1";
        self.one(sql, [hash], token_row)
    }

    /// The token of a name.
    ///
    /// # Errors
    /// The database.
    pub fn token_by_name(&self, name: &str) -> Result<Option<TokenRow>, StoreError> {
        let sql = "SELECT hash, name, person, expires, created, last_used FROM token WHERE name = ?1";
        self.one(sql, [name], token_row)
    }

    /// Every token, by name.
    ///
    /// # Errors
    /// The database.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.all("SELECT hash, name, person, expires, created, last_used FROM token ORDER BY name", [], token_row)
    }

    /// The session of a hash, also one that has run out.
    ///
    /// # Errors
    /// The database.
    pub fn session_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        let sql = "SELECT hash, person, created, expires, csrf FROM session WHERE hash = ?1";
        self.one(sql, [hash], session_row)
    }

    /// The sessions of a person, the newest first.
    ///
    /// # Errors
    /// The database.
    pub fn sessions_of(&self, person: PersonId) -> Result<Vec<SessionRow>, StoreError> {
        let sql =
            "SELECT hash, person, created, expires, csrf FROM session WHERE person = ?1 ORDER BY created DESC, hash";
        self.all(sql, [person], session_row)
    }
}

impl Tx<'_> {
    /// Makes an account; `None` if the login is taken.
    ///
    /// # Errors
    /// The database.
    pub fn add_person(&self, new: &NewPerson<'_>) -> Result<Option<PersonId>, StoreError> {
        if self.person_by_login(new.login)?.is_some() {
            return Ok(None);
        }
        let id = self.insert(
            "INSERT INTO person (login, name, password_hash, totp_secret, desk, roles, state, created, failed,
               totp_last_step) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0)",
            params![
                new.login,
                new.name,
                new.password_hash,
                new.totp_secret,
                new.desk.word(),
                role_words(new.roles),
                PersonState::Active.code(),
                new.created.micros(),
            ],
        )?;
        Ok(Some(PersonId(id)))
    }

    /// Changes an account to what the row says; the login and the time at which it was made stay. Says whether it is
    /// there.
    ///
    /// # Errors
    /// The database.
    pub fn put_person(&self, row: &PersonRow) -> Result<bool, StoreError> {
        let changed = self.run(
            "UPDATE person SET name = ?2, password_hash = ?3, totp_secret = ?4, desk = ?5, roles = ?6, state = ?7,
               failed = ?8, locked_until = ?9, totp_last_step = ?10 WHERE id = ?1",
            params![
                row.id,
                row.name,
                row.password_hash,
                row.totp_secret,
                row.desk.word(),
                role_words(&row.roles),
                row.state.code(),
                row.failed,
                row.locked_until.map(Timestamp::micros),
                columns::int(row.totp_last_step),
            ],
        )?;
        Ok(changed == 1)
    }

    /// Deletes an account with its sessions, tokens, passkeys and names as a reader. Its number is never given again. Says
    /// whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn delete_person(&self, id: PersonId) -> Result<bool, StoreError> {
        self.delete_sessions_of(id)?;
        self.run("DELETE FROM token WHERE person = ?1", [id])?;
        self.delete_passkeys_of(id)?;
        self.run("DELETE FROM red_reader WHERE person = ?1", [id])?;
        Ok(self.run("DELETE FROM person WHERE id = ?1", [id])? == 1)
    }

    /// Keeps a new token; `false` if its name is taken.
    ///
    /// # Errors
    /// The database.
    pub fn put_token(&self, row: &TokenRow) -> Result<bool, StoreError> {
        let made = self.run(
            "INSERT INTO token (hash, name, person, expires, created, last_used) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
            params![
                row.hash,
                row.name,
                row.person,
                row.expires.map(Timestamp::micros),
                row.created.micros(),
                row.last_used.map(Timestamp::micros),
            ],
        )?;
        Ok(made == 1)
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// The database.
    pub fn token_used(&self, hash: &[u8; 32], at: Timestamp) -> Result<(), StoreError> {
        self.run("UPDATE token SET last_used = ?2 WHERE hash = ?1", params![hash, at.micros()])?;
        Ok(())
    }

    /// Deletes a token by its name. Says whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn delete_token(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.run("DELETE FROM token WHERE name = ?1", [name])? == 1)
    }

    /// Keeps a new session.
    ///
    /// # Errors
    /// One of the same hash is there, or the database.
    pub fn put_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO session (hash, person, created, expires, csrf) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![row.hash, row.person, row.created.micros(), row.expires.micros(), row.csrf],
        )?;
        Ok(())
    }

    /// Ends a session. Says whether it was there.
    ///
    /// # Errors
    /// The database.
    pub fn delete_session(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(self.run("DELETE FROM session WHERE hash = ?1", [hash])? == 1)
    }

    /// Ends every session of a person: its password or its roles have changed.
    ///
    /// # Errors
    /// The database.
    pub fn delete_sessions_of(&self, person: PersonId) -> Result<(), StoreError> {
        self.run("DELETE FROM session WHERE person = ?1", [person])?;
        Ok(())
    }

    /// Deletes the sessions and tokens that have run out.
    ///
    /// # Errors
    /// The database.
    pub fn purge_expired(&self, now: Timestamp) -> Result<(), StoreError> {
        self.run("DELETE FROM session WHERE expires <= ?1", [now.micros()])?;
        self.run("DELETE FROM token WHERE expires <= ?1", [now.micros()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, at};

    fn anna(tx: &Tx<'_>) -> Result<Option<PersonId>, StoreError> {
        tx.add_person(&NewPerson {
            login: "anna",
            name: "Anna",
            password_hash: "$argon2id$hash",
            totp_secret: Some(b"secret"),
            desk: Desk::Csirt,
            roles: &[Role::Analyst, Role::DutyOfficer],
            created: at(0),
        })
    }

    fn token(name: &str, hash: u8, person: PersonId, expires: Option<Timestamp>) -> TokenRow {
        TokenRow { hash: [hash; 32], name: name.to_owned(), person, expires, created: at(0), last_used: None }
    }

    fn session(hash: u8, person: PersonId, expires: i64) -> SessionRow {
        SessionRow { hash: [hash; 32], person, created: at(i64::from(hash)), expires: at(expires), csrf: [hash; 32] }
    }

    #[test]
    fn an_account_is_made_once_changed_and_deleted() {
        let world = World::new();
        world.write(|tx| {
            let id = anna(tx)?.unwrap();
            assert_eq!(anna(tx)?, None, "the login is taken");
            let mut row = tx.person_by_login("anna")?.unwrap();
            assert_eq!((row.id, row.roles.as_slice()), (id, [Role::Analyst, Role::DutyOfficer].as_slice()));
            assert_eq!((row.failed, row.state, row.locked_until), (0, PersonState::Active, None));
            row.roles = Vec::new();
            row.state = PersonState::Locked;
            row.failed = 3;
            row.locked_until = Some(at(9));
            row.totp_last_step = 56_666_667;
            assert!(tx.put_person(&row)?);
            assert_eq!(tx.persons()?, [row.clone()]);
            assert!(!format!("{row:?}").contains("argon2id"));
            tx.put_token(&token("feed", 1, id, None))?;
            tx.put_session(&session(1, id, 10))?;
            assert!(tx.delete_person(id)? && !tx.delete_person(id)?);
            assert!(!tx.put_person(&row)?);
            assert_eq!((tx.tokens()?, tx.session_by_hash(&[1; 32])?), (Vec::new(), None));
            assert_ne!(anna(tx)?, Some(id), "a number is never given twice");
            Ok(())
        });
    }

    #[test]
    fn tokens_and_sessions_run_out() {
        let world = World::new();
        world.write(|tx| {
            let id = anna(tx)?.unwrap();
            assert!(tx.put_token(&token("feed", 1, id, Some(at(5))))?);
            assert!(!tx.put_token(&token("feed", 2, id, None))?, "the name is taken");
            assert!(tx.put_token(&token("cron", 3, id, None))?);
            tx.token_used(&[3; 32], at(4))?;
            tx.put_session(&session(1, id, 5))?;
            tx.put_session(&session(2, id, 6))?;
            assert_eq!(tx.sessions_of(id)?, [session(2, id, 6), session(1, id, 5)]);
            tx.purge_expired(at(5))?;
            assert_eq!(tx.token_by_hash(&[1; 32])?, None);
            assert_eq!(tx.token_by_name("cron")?.unwrap().last_used, Some(at(4)));
            assert_eq!(tx.sessions_of(id)?, [session(2, id, 6)]);
            assert!(tx.delete_session(&[2; 32])? && !tx.delete_session(&[2; 32])?);
            assert!(tx.delete_token("cron")? && !tx.delete_token("cron")?);
            Ok(())
        });
    }
}
