//! Where the account comes from.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use arr_service::DEVELOPMENT_ACCOUNT_ID;
use snapbox::str;

use crate::place::{KEY, Place, stderr, stdout};

/// The value and the source of a setting, as `config show` prints them.
#[track_caller]
fn shown(place: &Place, arguments: &[&str], variables: &[(&str, &str)], setting: &str) -> [String; 2] {
    let command = place.bare(&["config", "show", "-o", "json"]).args(arguments).envs(variables.iter().copied());
    let output = command.assert().success();
    let json: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    ["value", "source"].map(|part| json[setting][part].as_str().unwrap_or_default().to_owned())
}

#[test]
fn an_old_arrconfig_in_the_folder_is_enough() {
    let place = Place::new("arrconfig");
    place.write("arrconfig.json", &place.arrconfig(KEY));
    let note = format!("note: the account comes from {}\n", place.home.join("arrconfig.json").display());
    let output = place.bare(&["create", "--wait", "-o", "json"]).assert().success();
    let stderr = stderr(&output);
    assert!(stderr.starts_with(&note), "{stderr}");
    let session: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    assert_eq!((&session["size"], &session["max_lease_seconds"]), (&"premium".into(), &14_400.into()));
    place.bare(&["stop", session["id"].as_str().expect("an id")]).assert().success();
}

#[test]
fn an_account_of_the_retired_service_is_reported() {
    let place = Place::new("retired");
    place.write("arrconfig.json", &place.arrconfig(KEY).replace(place.url(), "westus2"));
    // No request leaves this machine.
    let unreachable = ["--proxy", "http://127.0.0.1:9", "--request-timeout", "1s"];
    place.bare(&["create", "--wait"]).args(unreachable).assert().code(7).stderr_eq(str![[r#"
...
 hint: Microsoft retired the public service on 30 September 2025; name a compatible service with --service-endpoint and --account-domain, or use --emulator

"#]]);
    let doctor = place.bare(&["doctor"]).args(unreachable).assert().code(7);
    let text = stdout(&doctor);
    assert!(text.contains("! service          Microsoft retired the public service"), "{text}");
}

#[test]
fn a_file_in_the_folder_cannot_direct_a_key_to_its_hosts() {
    let place = Place::new("stranger");
    // From a stranger's archive: no key, but hosts.
    place.write("arrconfig.json", &place.arrconfig(""));
    place.write_private("key", KEY);
    let list = place.bare(&["list"]).env("ARR_ACCOUNT_KEY", KEY);
    list.assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: the account from the environment is incomplete: account_id, account_domain, service_endpoint missing
 hint: give what is missing with --account-id, --account-domain, --service-endpoint; `arr config show` shows where each value comes from
 hint: or unset ARR_ACCOUNT_KEY, so that a profile or a file counts

"#]]);
    place.bare(&["list", "--account-key-file", "key"]).assert().code(2);
    place.bare(&["list"]).assert().code(2).stderr_eq(str![[r#"
note: arrconfig.json in this folder is not used: it has no credential. To use it, give --config arrconfig.json
error: no account is configured
...
"#]]);
    // One with a key of its own gets no other.
    place.write("arrconfig.json", &place.arrconfig("c3RyYW5nZXI="));
    place.bare(&["list"]).env("ARR_ACCOUNT_KEY", KEY).assert().code(2);
    place.bare(&["list", "--account-key-file", "key"]).assert().code(2);
    assert!(place.emulator.requests().is_empty(), "nothing was sent");
    // Named explicitly, it is the user's choice.
    place.write("arrconfig.json", &place.arrconfig(""));
    let named = ["list", "--config", "arrconfig.json"];
    place.bare(&named).env("ARR_ACCOUNT_KEY", KEY).assert().success();
    place.bare(&named).args(["--account-key-file", "key"]).assert().success();
}

#[test]
fn the_sources_in_their_order() {
    let place = Place::new("order");
    let id = |digit: &str| DEVELOPMENT_ACCOUNT_ID.replace("d0ca11ed", &digit.repeat(8));
    let file = |digit: &str| place.arrconfig(KEY).replace("d0ca11ed", &digit.repeat(8));
    place.write("arrconfig.json", &file("1"));
    let source = |arguments: &[&str], variables: &[(&str, &str)]| shown(&place, arguments, variables, "account_id");
    assert_eq!(source(&[], &[]), [id("1"), "arrAccountId in arrconfig.json".to_owned()]);

    place.write("saved.json", &file("2"));
    place.bare(&["config", "import", "saved.json"]).assert().success();
    assert_eq!(source(&[], &[]), [id("2"), "profile default".to_owned()]);
    let other = "note: arrconfig.json in this folder is not used: it differs from profile default, which comes first. To use it, give --config arrconfig.json\n";
    place.bare(&["config", "show"]).assert().success().stderr_eq(other);
    place.write("arrconfig.json", &file("2"));
    place.bare(&["config", "show"]).assert().success().stderr_eq("");
    place.write("arrconfig.json", &file("1"));

    let (three, four) = (id("3"), id("4"));
    let environment = [("ARR_ACCOUNT_ID", three.as_str()), ("ARR_ACCOUNT_KEY", KEY)];
    assert_eq!(source(&[], &environment), [id("3"), "ARR_ACCOUNT_ID".to_owned()]);
    let azure = [("REMOTERENDERING_ARR_ACCOUNT_ID", four.as_str()), ("REMOTERENDERING_ARR_ACCOUNT_KEY", KEY)];
    assert_eq!(source(&[], &azure), [id("4"), "REMOTERENDERING_ARR_ACCOUNT_ID".to_owned()]);
    // A source that an option names comes before those that are merely there.
    assert_eq!(source(&["--config", "arrconfig.json"], &environment)[0], id("1"));
    assert_eq!(source(&["--profile", "default"], &environment)[0], id("2"));
    assert_eq!(source(&["--emulator"], &environment)[0], DEVELOPMENT_ACCOUNT_ID);
    let option = ["--config", "arrconfig.json", "--account-id", &id("5")];
    assert_eq!(source(&option, &environment), [id("5"), "--account-id".to_owned()]);
    // What is not of the account comes from the nearest source.
    let version = |variables: &[(&str, &str)]| shown(&place, &["--emulator"], variables, "api_version")[0].clone();
    assert_eq!((version(&[]).as_str(), version(&[("ARR_API_VERSION", "2021-01-01")]).as_str()), ("", "2021-01-01"));
}

#[test]
fn half_an_account_in_the_environment_is_not_mixed_with_another() {
    let place = Place::new("half");
    place.write("arrconfig.json", &place.arrconfig(KEY));
    let list = place.bare(&["list", "-o", "id"]).env("ARR_SERVICE_ENDPOINT", "https://elsewhere.example");
    list.assert().success().stderr_eq(str![[r#"
note: the account comes from [..]/arrconfig.json
note: ARR_SERVICE_ENDPOINT is ignored: a credential and its endpoints come from one source, here arrconfig.json

"#]]);
}

#[test]
fn keys_come_from_files_standard_input_and_variables_but_not_from_options() {
    let place = Place::new("keys");
    place.write("arrconfig.json", &place.arrconfig("<fill in the account key from the Azure Portal>"));
    place.bare(&["list"]).assert().code(2).stderr_eq(str![[r#"
note: arrAccountKey in arrconfig.json is still a placeholder; it is ignored
note: arrconfig.json in this folder is not used: it has no credential. To use it, give --config arrconfig.json
error: no account is configured
...
"#]]);
    let config = ["list", "-o", "id", "--config", "arrconfig.json"];
    place.write_private("key", &format!("{KEY}\n"));
    let note = "note: arrAccountKey in arrconfig.json is still a placeholder; it is ignored\n";
    place.bare(&config).args(["--account-key-file", "key"]).assert().success().stderr_eq(note);
    place.bare(&config).args(["--account-key-file", "-"]).stdin(KEY).assert().success();
    place.bare(&config).env("ARR_ACCOUNT_KEY", KEY).assert().success();
    place.bare(&config).env("ARR_ACCOUNT_KEY_FILE", "key").assert().success();
    let token = place.emulator.entra_token(std::time::Duration::from_secs(60));
    place.bare(&config).args(["--entra-token-file", "-"]).stdin(token).assert().success();
    place.bare(&config).env("ARR_ACCESS_TOKEN", place.emulator.access_token()).assert().success();
    for option in ["--account-key", "--key", "--entra-token", "--access-token", "--token"] {
        let output = place.bare(&config).args([option, "c2VjcmV0"]).assert().code(2).stdout_eq("");
        let text = stderr(&output);
        assert!(text.contains("other users") && text.contains("-file -") && !text.contains("c2VjcmV0"), "{text}");
    }
}

#[test]
fn show_names_the_source_of_each_value_and_no_secret() {
    let place = Place::new("show");
    place.write("arrconfig.json", &place.arrconfig(KEY));
    let output = place
        .bare(&["config", "show", "--config", "arrconfig.json"])
        .env_remove("ARR_CA_FILE")
        .assert()
        .success()
        .stdout_eq(str![[r#"
account_id        d0ca11ed-0000-4000-8000-a0ca7a57e0de  arrAccountId in arrconfig.json
account_key       (set)                                 arrAccountKey in arrconfig.json
account_domain    https://127.0.0.1:[..]               arrAccountDomain in arrconfig.json
service_endpoint  https://127.0.0.1:[..]               remoteRenderingDomain in arrconfig.json
size              premium                               vmSize in arrconfig.json
lease             4h                                    maxLeaseTime in arrconfig.json

"#]]);
    let text = format!("{:?}", output.get_output());
    assert!(!text.contains("YXJy"), "{text}");
    let proxy = [("ARR_PROXY", "http://user:hunter2@proxy.example:8080")];
    let config = ["--config", "arrconfig.json"];
    assert_eq!(shown(&place, &config, &proxy, "proxy")[0], "(not shown)@proxy.example:8080");
    place
        .bare(&["config", "path"])
        .assert()
        .success()
        .stdout_eq(format!("{}\n", place.home.join(".config/arr/config.toml").display()));
}

#[test]
fn an_imported_account_is_the_users_alone() {
    let place = Place::new("import");
    place.write("old.json", &place.arrconfig(KEY));
    place.bare(&["config", "import", "old.json"]).assert().success().stdout_eq("").stderr_eq(str![[r#"
profile default is now in [..]/.config/arr/config.toml
it has the account key, so only you may read it; old.json may be deleted
to try it: arr list

"#]]);
    let file = place.home.join(".config/arr/config.toml");
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    place.bare(&["list", "-o", "id"]).assert().success().stderr_eq("");
    place.bare(&["config", "import", "old.json"]).assert().code(2);
    place.bare(&["config", "import", "old.json", "--force"]).assert().success();
    place.bare(&["config", "import", "old.json", "--profile", "second"]).assert().success();
    place.bare(&["list", "--profile", "second", "-o", "id"]).assert().success();
    place.bare(&["list", "--profile", "third"]).assert().code(2).stderr_eq(str![[r#"
error: [..]config.toml has no profile "third": it has default, second
 hint: make it with: arr config import FILE --profile third

"#]]);
}

#[test]
fn both_generations_and_their_mistakes_are_read() {
    let place = Place::new("generations");
    let lease = |text: &str| {
        place.write("c.json", &place.arrconfig(KEY).replace("4:0:0", text));
        shown(&place, &["--config", "c.json"], &[], "lease")[0].clone()
    };
    assert_eq!([lease("1:00:00"), lease("1.00:00:00"), lease("0:45:00")], ["1h", "1day", "45m"]);
    place.write("c.json", &place.arrconfig(KEY).replace("4:0:0", "1"));
    let days = "note: maxLeaseTime in c.json is \"1\", which .NET reads as a day; did you mean hours?\n";
    place.bare(&["config", "show", "--config", "c.json"]).assert().success().stderr_eq(days);
    place.write(
        "2020.json",
        r#"{"AccountSettings": {"arrAccountId": "{d0ca11ed-0000-4000-8000-a0ca7a57e0de}", "arrAccountKey": "a2V5",
            "region": "westus2", "authenticationEndpoint": null, "serviceEndpoint": ""}}"#,
    );
    for (setting, value) in [("account_domain", "westus2"), ("service_endpoint", "westus2"), ("account_key", "(set)")] {
        assert_eq!(shown(&place, &["--config", "2020.json"], &[], setting)[0], value);
    }
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(place.arrconfig(KEY).trim_start_matches('\u{feff}').encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(place.home.join("utf16.json"), utf16).expect("written");
    place.bare(&["list", "--config", "utf16.json", "-o", "id"]).assert().success();
    for (text, expected) in [("{", "not valid JSON"), ("[default]", "of no known kind"), ("{}", "of no known kind")] {
        place.write("bad.json", text);
        let output = place.bare(&["list", "--config", "bad.json"]).assert().code(2);
        let stderr = stderr(&output);
        assert!(stderr.contains(expected), "{stderr}");
    }
}
