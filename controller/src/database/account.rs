//! As whom the private Postgres runs. It refuses root, so a root controller lends it a user.
//!
//! `/etc/passwd` is read as it is: system users are made there, and nothing has to be started to ask.

use std::fs;
use std::path::Path;

use super::DatabaseError;

/// Best first. Packages make the first, Debian's Postgres the second, and the last is everywhere.
const CANDIDATES: &[&str] = &["wgfleet", "postgres", "nobody"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Chooses the user for a new cluster.
pub(super) fn choose() -> Result<Account, DatabaseError> {
    let users = users()?;
    CANDIDATES
        .iter()
        .find_map(|name| find(&users, |user| user.name == *name))
        .ok_or(DatabaseError::NoAccount)
}

/// The user with this number: who owns a cluster runs it.
pub(super) fn of(uid: u32) -> Result<Option<Account>, DatabaseError> {
    Ok(find(&users()?, |user| user.account.uid == uid))
}

struct User<'a> {
    name: &'a str,
    account: Account,
}

fn users() -> Result<String, DatabaseError> {
    let path = Path::new("/etc/passwd");
    fs::read_to_string(path).map_err(|source| DatabaseError::Path {
        path: path.into(),
        deed: "read",
        source,
    })
}

/// Lines that are not of the format, such as NIS markers, name nobody.
fn find(users: &str, wanted: impl Fn(&User<'_>) -> bool) -> Option<Account> {
    users
        .lines()
        .filter_map(user)
        .filter(|user| user.account.uid != 0)
        .find(wanted)
        .map(|user| user.account)
}

fn user(line: &str) -> Option<User<'_>> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User {
        name,
        account: Account { uid, gid },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\n\
        +::::::\n\
        wgfleet:x:0:0:a trap::\n\
        postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n\
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";

    #[test]
    fn a_user_is_found_by_name_and_by_number_but_never_root() {
        let postgres = Some(Account { uid: 101, gid: 104 });

        assert_eq!(find(USERS, |user| user.name == "postgres"), postgres);
        assert_eq!(find(USERS, |user| user.account.uid == 101), postgres);
        assert_eq!(find(USERS, |user| user.name == "wgfleet"), None);
        assert_eq!(find(USERS, |user| user.account.uid == 0), None);
        assert_eq!(find(USERS, |user| user.account.uid == 7), None);
    }
}
