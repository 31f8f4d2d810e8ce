//! Clusters: those added through the API, with their sealed credentials, and the numbers and names
//! of the operator's.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use zeroize::Zeroizing;

use crate::{
    Store,
    db::Db,
    entity::cluster::{ActiveModel, Column, Entity, Model},
    error::{Error, Result},
};

/// The purpose for which a cluster's credential is sealed.
const CREDENTIAL: &str = "cluster credential";

/// The longest name in characters: that of a DNS-1123 label.
const LONGEST_NAME: usize = 63;

/// How many times a name is chosen, if other processes keep taking the chosen one meanwhile.
const ATTEMPTS: usize = 8;
/// How many suffixes are tried to make a name unique.
const SUFFIXES: usize = 10_000;

/// The origin of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Added through the API; its credential is stored.
    Api,
    /// Given by the operator in a kubeconfig or flag. No credential is stored.
    Fixed,
}

/// A cluster without its credential, which [`Store::cluster_credential`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its number, which is never reused.
    pub id: u32,
    /// Its unique name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Its API server's address.
    pub api_server: String,
    /// The watched namespaces; all if empty.
    pub namespaces: Vec<String>,
    /// Its origin.
    pub origin: Origin,
    /// When it was added.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// A cluster to add through the API. Its `Debug` output shows no credential.
#[derive(Clone)]
pub struct NewCluster {
    /// As in [`Cluster`].
    pub name: String,
    /// As in [`Cluster`].
    pub description: String,
    /// As in [`Cluster`].
    pub api_server: String,
    /// As in [`Cluster`].
    pub namespaces: Vec<String>,
    /// The credential, which is stored sealed.
    pub credential: Zeroizing<String>,
}

/// A change of a cluster that was added through the API. An absent field stays as it is. Its
/// `Debug` output shows no credential.
#[derive(Clone, Default)]
pub struct ClusterEdit {
    /// As in [`Cluster`].
    pub name: Option<String>,
    /// As in [`Cluster`].
    pub description: Option<String>,
    /// As in [`Cluster`].
    pub api_server: Option<String>,
    /// As in [`Cluster`].
    pub namespaces: Option<Vec<String>>,
    /// The credential, which is stored sealed.
    pub credential: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for NewCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCluster")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ClusterEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterEdit")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl TryFrom<Model> for Cluster {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: u32::try_from(row.id).map_err(|_| Error::Malformed("cluster number"))?,
            name: row.name,
            description: row.description,
            api_server: row.api_server,
            namespaces: serde_json::from_str(&row.namespaces).map_err(|_| Error::Malformed("list of namespaces"))?,
            origin: match row.origin.as_str() {
                "api" => Origin::Api,
                "fixed" => Origin::Fixed,
                _ => return Err(Error::Malformed("cluster origin")),
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Store {
    /// Returns all clusters by number, including those of the operator's that are absent at this
    /// start.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Malformed`].
    pub async fn list_clusters(&self) -> Result<Vec<Cluster>> {
        let rows = Entity::find().order_by_asc(Column::Id).all(&self.db).await?;
        rows.into_iter().map(Cluster::try_from).collect()
    }

    /// Returns the cluster with a number.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Malformed`].
    pub async fn cluster(&self, id: u32) -> Result<Option<Cluster>> {
        self.cluster_row(id).await?.map(Cluster::try_from).transpose()
    }

    /// Returns the cluster with a name.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Malformed`].
    pub async fn cluster_by_name(&self, name: &str) -> Result<Option<Cluster>> {
        let row = Entity::find().filter(Column::Name.eq(name)).one(&self.db).await?;
        row.map(Cluster::try_from).transpose()
    }

    /// Returns the credential of a cluster; `None` for an unknown cluster and for one of the
    /// operator's.
    ///
    /// # Errors
    /// [`Error::Unseal`], [`Error::Database`].
    pub async fn cluster_credential(&self, id: u32) -> Result<Option<Zeroizing<String>>> {
        let Some(row) = self.cluster_row(id).await? else {
            return Ok(None);
        };
        row.credential
            .map(|sealed| self.key.unseal(CREDENTIAL, i64::from(id), &sealed))
            .transpose()
    }

    /// Adds a cluster through the API and seals its credential.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Database`], [`Error::Random`].
    pub async fn insert_cluster(&self, new: NewCluster, now: i64) -> Result<Cluster> {
        let row = ActiveModel {
            name: Set(new.name.clone()),
            description: Set(new.description),
            api_server: Set(new.api_server),
            namespaces: Set(namespaces_json(&new.namespaces)?),
            origin: Set("api".to_owned()),
            fixed_key: Set(None),
            credential: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        // The first of two statements gives the number for which the second seals the credential.
        let row = self
            .db
            .transaction(async |transaction| -> Result<Model> {
                let row = row
                    .insert(&transaction)
                    .await
                    .map_err(|error| taken(error, &new.name))?;
                let sealed = self.key.seal(CREDENTIAL, i64::from(row.id), &new.credential)?;
                Entity::update_many()
                    .col_expr(Column::Credential, Expr::value(sealed))
                    .filter(Column::Id.eq(row.id))
                    .exec(&transaction)
                    .await?;
                transaction.commit().await?;
                Ok(row)
            })
            .await?;
        row.try_into()
    }

    /// Changes a cluster that was added through the API. Returns `None` if no such cluster has that
    /// number.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Database`], [`Error::Random`].
    pub async fn update_cluster(&self, id: u32, edit: ClusterEdit, now: i64) -> Result<Option<Cluster>> {
        let number = i32::try_from(id).unwrap_or(i32::MAX);
        let mut update = Entity::update_many()
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(number))
            .filter(Column::Origin.eq("api"));
        let name = edit.name.clone().unwrap_or_default();
        for (column, text) in [
            (Column::Name, edit.name),
            (Column::Description, edit.description),
            (Column::ApiServer, edit.api_server),
        ] {
            if let Some(text) = text {
                update = update.col_expr(column, Expr::value(text));
            }
        }
        if let Some(namespaces) = edit.namespaces {
            update = update.col_expr(Column::Namespaces, Expr::value(namespaces_json(&namespaces)?));
        }
        if let Some(credential) = edit.credential {
            let sealed = self.key.seal(CREDENTIAL, i64::from(id), &credential)?;
            update = update.col_expr(Column::Credential, Expr::value(sealed));
        }
        let updated = update.exec(&self.db).await.map_err(|error| taken(error, &name))?;
        if updated.rows_affected == 0 {
            return Ok(None);
        }
        self.cluster(id).await
    }

    /// Removes a cluster that was added through the API, with its credential. Returns whether it
    /// existed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn delete_cluster(&self, id: u32) -> Result<bool> {
        let deleted = Entity::delete_many()
            .filter(Column::Id.eq(i32::try_from(id).unwrap_or(i32::MAX)))
            .filter(Column::Origin.eq("api"))
            .exec(&self.db)
            .await?;
        Ok(deleted.rows_affected > 0)
    }

    /// Stores a cluster of the operator's, or updates its row. A key has the same row at every
    /// start.
    ///
    /// The cluster gets the given name. If another cluster has that name, it gets the suffix `-2`,
    /// `-3` and so on, within 63 characters, and keeps the suffix from then on.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Database`].
    pub async fn adopt_fixed(
        &self,
        key: &str,
        name: &str,
        description: &str,
        api_server: &str,
        now: i64,
    ) -> Result<Cluster> {
        for _ in 0..ATTEMPTS {
            let row = Entity::find().filter(Column::FixedKey.eq(key)).one(&self.db).await?;
            let kept = row
                .as_ref()
                .filter(|row| is_variant(&row.name, name))
                .map(|row| row.name.clone());
            let chosen = match kept {
                Some(kept) => kept,
                None => self.free_name(name).await?,
            };
            let mut adopted = ActiveModel {
                name: Set(chosen),
                description: Set(description.to_owned()),
                api_server: Set(api_server.to_owned()),
                updated_at: Set(now),
                ..Default::default()
            };
            let saved = match row {
                Some(row) => {
                    adopted.id = Set(row.id);
                    adopted.update(&self.db).await
                }
                None => {
                    adopted.namespaces = Set("[]".to_owned());
                    adopted.origin = Set("fixed".to_owned());
                    adopted.fixed_key = Set(Some(key.to_owned()));
                    adopted.credential = Set(None);
                    adopted.created_at = Set(now);
                    adopted.insert(&self.db).await
                }
            };
            match saved {
                Ok(row) => return row.try_into(),
                // Another Podgate process took the name or the key between the two statements.
                Err(error) if Error::is_duplicate(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Taken(name.to_owned()))
    }

    /// Adds a suffix to the name of an operator's cluster that is absent at this start, so that
    /// another cluster may have the name.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Database`].
    pub async fn release_name(&self, id: u32, now: i64) -> Result<()> {
        let Some(row) = self.cluster_row(id).await?.filter(|row| row.origin == "fixed") else {
            return Ok(());
        };
        let name = self.free_name(&row.name).await?;
        Entity::update_many()
            .col_expr(Column::Name, Expr::value(name))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(row.id))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    async fn cluster_row(&self, id: u32) -> Result<Option<Model>> {
        // The database has no number beyond `i32`.
        let Ok(id) = i32::try_from(id) else { return Ok(None) };
        Ok(Entity::find_by_id(id).one(&self.db).await?)
    }

    /// Returns a name, or its first variant that no cluster has.
    async fn free_name(&self, name: &str) -> Result<String> {
        for n in 1..=SUFFIXES {
            let candidate = variant(name, n);
            if self.cluster_by_name(&candidate).await?.is_none() {
                return Ok(candidate);
            }
        }
        Err(Error::Taken(name.to_owned()))
    }
}

/// Returns whether any cluster's credential is stored.
pub(crate) async fn has_credentials(db: &Db) -> Result<bool> {
    let first = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Credential.is_not_null())
        .limit(1)
        .into_tuple::<i32>()
        .one(db)
        .await?;
    Ok(first.is_some())
}

/// Returns the `n`th variant of a name: itself, then with `-2`, `-3` and so on, cut so that it
/// stays a DNS-1123 label.
fn variant(name: &str, n: usize) -> String {
    if n < 2 {
        return name.to_owned();
    }
    let suffix = format!("-{n}");
    let start: String = name.chars().take(LONGEST_NAME - suffix.len()).collect();
    format!("{}{suffix}", start.trim_end_matches('-'))
}

/// Returns whether a name is a variant of another.
fn is_variant(name: &str, of: &str) -> bool {
    let number = name.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
    name == of || number.is_some_and(|n| n >= 2 && variant(of, n) == name)
}

fn namespaces_json(namespaces: &[String]) -> Result<String> {
    serde_json::to_string(namespaces).map_err(|_| Error::Malformed("list of namespaces"))
}

fn taken(error: sea_orm::DbErr, name: &str) -> Error {
    if Error::is_duplicate(&error) {
        Error::Taken(name.to_owned())
    } else {
        error.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{is_variant, variant};

    #[test]
    fn variants_stay_labels() {
        let long = "a".repeat(63);
        assert_eq!(variant("prod", 1), "prod");
        assert_eq!(variant("prod", 2), "prod-2");
        assert_eq!(variant(&long, 12), format!("{}-12", "a".repeat(60)));
        let dashed = format!("{}-{}", "a".repeat(60), "bb");
        assert_eq!(variant(&dashed, 2), format!("{}-2", "a".repeat(60)));
    }

    #[test]
    fn a_variant_is_recognised() {
        let long = "a".repeat(63);
        assert!(is_variant("prod", "prod") && is_variant("prod-3", "prod") && is_variant(&variant(&long, 3), &long));
        for other in ["prod-1", "prod-x", "prod-", "pro-2", "prod-02"] {
            assert!(!is_variant(other, "prod"), "{other}");
        }
    }
}
