//! The actions. Each is a type, so that a [`crate::Scoped`] opened for an action has the methods of
//! that action only.

/// An action, for which a route asks the [`crate::Gate`].
pub trait Action: Send + Sync + 'static {
    /// Its name in `docs/routes.txt` and in messages, such as `pods.list`.
    const NAME: &'static str;
    /// The equivalent Kubernetes verb and resource, such as `list pods`, for messages.
    const PERMISSION: &'static str;
    /// Whether it changes anything. The check for foreign origins and the audit depend on it.
    const MUTATES: bool;
}

macro_rules! actions {
    ($($(#[$doc:meta])* $type:ident, $name:literal, $permission:literal, $mutates:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $type;

            impl Action for $type {
                const NAME: &'static str = $name;
                const PERMISSION: &'static str = $permission;
                const MUTATES: bool = $mutates;
            }
        )*

        /// Every action's name and permission, and whether it changes anything.
        pub const ALL: &[(&str, &str, bool)] = &[$(($name, $permission, $mutates)),*];
    };
}

actions! {
    /// List pods.
    ListPods, "pods.list", "list pods", false;
    /// Read one pod.
    GetPod, "pods.get", "get pods", false;
    /// Delete one pod.
    DeletePod, "pods.delete", "delete pods", true;
    /// Read a container's log.
    ReadLogs, "pods.logs", "get pods/log", false;
    /// Read a pod's events.
    ReadEvents, "pods.events", "list events", false;
    /// Run a command in a container.
    Exec, "pods.exec", "create pods/exec", true;
    /// List the clusters.
    ListClusters, "clusters.list", "list clusters", false;
    /// Read one cluster, its counts and its namespaces.
    GetCluster, "clusters.get", "get clusters", false;
    /// Add a cluster.
    CreateCluster, "clusters.create", "create clusters", true;
    /// Change a cluster.
    UpdateCluster, "clusters.update", "update clusters", true;
    /// Remove a cluster.
    DeleteCluster, "clusters.delete", "delete clusters", true;
    /// Test a cluster's connection.
    TestCluster, "clusters.test", "test clusters", true;
    /// Read and change one's own account and sessions.
    OwnAccount, "account.own", "use one's own account", true;
}
