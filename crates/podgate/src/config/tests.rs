#![allow(clippy::unwrap_used, clippy::panic)]

use clap::CommandFactory;

use super::*;

fn serve(args: &[&str]) -> Result<Serve, clap::Error> {
    Cli::try_parse_from(["podgate", "serve"].iter().chain(args)).map(|cli| match cli.command {
        Command::Serve(serve) => *serve,
        other => panic!("{other:?}"),
    })
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_flag_of_serve_has_its_variable() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    for arg in serve
        .get_arguments()
        .filter(|arg| arg.get_id() != "help" && arg.get_id() != "version")
    {
        let variable = format!("PODGATE_{}", arg.get_id().as_str().to_uppercase());
        assert_eq!(arg.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
    }
}

#[test]
fn base_paths_are_normalised_or_refused() {
    assert_eq!(serve(&["--base-path", "/a/b/"]).unwrap().base_path, "/a/b");
    assert_eq!(serve(&["--base-path", "/"]).unwrap().base_path, "");
    for wrong in ["a", "/a//b", "/../b", "/a b", "/a?b", "/{a}"] {
        assert!(serve(&["--base-path", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn origins_have_no_path() {
    assert_eq!(
        serve(&["--allowed-origin", "https://A.example:443/"])
            .unwrap()
            .allowed_origin,
        ["https://a.example"]
    );
    for wrong in ["https://a.example/x", "a.example", "ftp://a.example", "null", "*"] {
        assert!(serve(&["--allowed-origin", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn hosts_are_names_alone() {
    let hosts = serve(&["--allowed-host", "a.example,b", "--allowed-host", "c_d.example."]);
    assert_eq!(hosts.unwrap().allowed_host, ["a.example", "b", "c_d.example."]);
    for wrong in ["", "a.example:80", "https://a.example", "a/b", "*", "[::1]"] {
        assert!(serve(&["--allowed-host", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn a_named_metrics_network_replaces_the_default() {
    assert!(serve(&[]).unwrap().metrics_network.is_empty());
    let named = serve(&["--metrics-network", "127.0.0.1"]).unwrap().metrics_network;
    assert_eq!(named, ["127.0.0.1/32".parse().unwrap()]);
}

#[test]
fn a_network_may_be_one_address() {
    let networks = serve(&["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "192.0.2.1"])
        .unwrap()
        .trusted_proxy;
    assert_eq!(
        networks,
        ["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()]
    );
}

#[test]
fn an_entry_of_the_kubeconfig_files_may_be_empty() {
    let files = serve(&["--kubeconfig", "a::b:"]).unwrap().kubeconfig;
    assert_eq!(files, ["a", "", "b", ""].map(PathBuf::from));
}

#[test]
fn namespaces_are_named_for_a_context() {
    let flags = serve(&["--namespaces", "a=b=shop, staging,;Prod=x", "--namespaces", "prod=y"]).unwrap();
    assert_eq!(flags.namespaces_of("a=b", "a-b"), ["shop", "staging"]);
    assert_eq!(flags.namespaces_of("Prod", "prod"), ["x", "y"]);
    assert!(flags.namespaces_of("b", "b").is_empty());
    for wrong in ["prod", "=shop", "prod=", "prod=Shop", "prod=a/b"] {
        assert!(serve(&["--namespaces", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn memory_is_written_as_in_kubernetes() {
    for (text, bytes) in [
        ("2097152", 2 << 20),
        ("2048Ki", 2 << 20),
        ("64Mi", 64 << 20),
        ("2Gi", 2 << 30),
    ] {
        assert_eq!(serve(&["--stream-memory", text]).unwrap().stream_memory, bytes);
    }
    for wrong in ["", "Mi", "1M", "-1", "1.5Gi", "1Mi", "99999999999Gi", "é"] {
        assert!(serve(&["--stream-memory", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn the_memory_of_answers_is_enough_for_one() {
    for (text, bytes) in [
        ("128Mi", 128 << 20),
        ("1Gi", 1 << 30),
        ("67108864", 64 << 20),
        ("65536Ki", 64 << 20),
    ] {
        assert_eq!(serve(&["--body-memory", text]).unwrap().body_memory, bytes);
    }
    for wrong in ["63Mi", "128MB", "-1", "Mi", "99999999999999999999Gi", ""] {
        assert!(serve(&["--body-memory", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn a_certificate_needs_its_key() {
    assert!(serve(&["--tls-cert", "a.pem"]).is_err());
    assert!(serve(&["--tls-cert", "a.pem", "--tls-key", "b.pem"]).is_ok());
}

#[test]
fn numbers_of_connections_and_seconds_are_bounded() {
    let flags = serve(&["--max-connections", "64", "--shutdown-delay", "10s"]).unwrap();
    assert_eq!(
        (flags.max_connections, flags.max_connections_per_address),
        (Some(64), None)
    );
    assert_eq!(flags.shutdown_delay, Duration::from_secs(10));
    assert_eq!(
        serve(&["--shutdown-delay", "7"]).unwrap().shutdown_delay,
        Duration::from_secs(7)
    );
    assert!(serve(&[]).unwrap().shutdown_delay.is_zero());
    for wrong in ["-1", "1m", "s", "", "3601", "1.5"] {
        assert!(serve(&["--shutdown-delay", wrong]).is_err(), "{wrong}");
    }
    for wrong in ["0", "-1", "1000001", "many"] {
        assert!(serve(&["--max-connections", wrong]).is_err(), "{wrong}");
        assert!(serve(&["--max-connections-per-address", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn a_simulated_cluster_stays_on_loopback() {
    assert!(Cli::try_parse_from(["podgate", "sim", "--pods", "1", "--listen", "0.0.0.0:0"]).is_err());
    assert!(Cli::try_parse_from(["podgate", "sim", "--control", "0.0.0.0:0"]).is_err());
    assert!(Cli::try_parse_from(["podgate", "sim", "--pods", "1", "--churn", "-1"]).is_err());
    assert!(Cli::try_parse_from(["podgate", "sim", "--pods", "1", "--churn", "NaN"]).is_err());
}
