//! What a server must be for the schema to fit: asked in one place, judged in another.

use sqlx::PgConnection;

use super::DatabaseError;

pub(super) const OLDEST_MAJOR: u32 = 15;

/// The schema creates them; here it is only seen whether it can.
const EXTENSIONS: &[&str] = &["btree_gist", "pg_trgm"];

/// What a server says of itself.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Server {
    version_num: i32,
    standby: bool,
    encoding: String,
}

#[derive(Debug, Clone, sqlx::FromRow)]
struct Extension {
    name: String,
    installed: bool,
    /// This user may create it in this database.
    creatable: bool,
}

pub(super) async fn check(connection: &mut PgConnection) -> Result<(), DatabaseError> {
    let server: Server = sqlx::query_as(
        r"
        SELECT current_setting('server_version_num')::integer AS version_num,
               pg_is_in_recovery() AS standby,
               current_setting('server_encoding') AS encoding
        ",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(DatabaseError::Ask)?;
    judge_server(&server)?;
    let extensions: Vec<Extension> = sqlx::query_as(
        r"
        SELECT name::text AS name,
               bool_or(installed) AS installed,
               bool_or((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                   OR trusted AND has_database_privilege(current_database(), 'CREATE')) AS creatable
        FROM pg_available_extension_versions
        WHERE name = ANY ($1)
        GROUP BY name
        ",
    )
    .bind(EXTENSIONS)
    .fetch_all(connection)
    .await
    .map_err(DatabaseError::Ask)?;
    judge_extensions(&extensions)
}

fn judge_server(server: &Server) -> Result<(), DatabaseError> {
    let major = server.version_num.unsigned_abs() / 10_000;
    if major < OLDEST_MAJOR {
        return Err(DatabaseError::TooOld { major });
    }
    if server.standby {
        return Err(DatabaseError::Standby);
    }
    if server.encoding != "UTF8" {
        return Err(DatabaseError::Encoding {
            encoding: server.encoding.clone(),
        });
    }
    Ok(())
}

fn judge_extensions(found: &[Extension]) -> Result<(), DatabaseError> {
    for &name in EXTENSIONS {
        match found.iter().find(|extension| extension.name == name) {
            None => return Err(DatabaseError::ExtensionMissing { name: name.into() }),
            Some(extension) if !extension.installed && !extension.creatable => {
                return Err(DatabaseError::ExtensionForbidden { name: name.into() });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            version_num: 150_018,
            standby: false,
            encoding: "UTF8".into(),
        }
    }

    fn extension(name: &str, installed: bool, creatable: bool) -> Extension {
        Extension {
            name: name.into(),
            installed,
            creatable,
        }
    }

    #[test]
    fn the_oldest_version_that_works_is_taken_and_the_one_before_refused() {
        let of = |version_num| {
            judge_server(&Server {
                version_num,
                ..server()
            })
        };

        assert!(of(150_000).is_ok());
        assert!(of(180_003).is_ok());
        assert!(matches!(
            of(140_022),
            Err(DatabaseError::TooOld { major: 14 })
        ));
        assert!(matches!(
            of(90_624),
            Err(DatabaseError::TooOld { major: 9 })
        ));
    }

    #[test]
    fn a_standby_and_a_database_of_another_encoding_are_refused() {
        let standby = Server {
            standby: true,
            ..server()
        };
        let ascii = Server {
            encoding: "SQL_ASCII".into(),
            ..server()
        };

        assert!(matches!(
            judge_server(&standby),
            Err(DatabaseError::Standby)
        ));
        assert!(matches!(
            judge_server(&ascii),
            Err(DatabaseError::Encoding { .. })
        ));
    }

    #[test]
    fn an_extension_must_be_there_or_be_creatable() {
        let here = extension("btree_gist", true, false);

        assert!(judge_extensions(&[here.clone(), extension("pg_trgm", true, false)]).is_ok());
        assert!(judge_extensions(&[here.clone(), extension("pg_trgm", false, true)]).is_ok());
        assert!(matches!(
            judge_extensions(&[here.clone(), extension("pg_trgm", false, false)]),
            Err(DatabaseError::ExtensionForbidden { name }) if name == "pg_trgm"
        ));
        assert!(matches!(
            judge_extensions(&[here]),
            Err(DatabaseError::ExtensionMissing { name }) if name == "pg_trgm"
        ));
    }
}
