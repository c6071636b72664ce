//! The other configuration files that users of the service have.

use serde_json::{Value, json};

use crate::place::{Place, stderr};

/// The values of a file, as `config show` prints them, and the notes.
#[track_caller]
fn read(place: &Place, name: &str, text: &str, more: &[&str]) -> (Value, String) {
    place.write(name, text);
    let command = place.bare(&["config", "show", "-o", "json", "--config", name]).args(more);
    let output = command.env_remove("ARR_CA_FILE").assert().success();
    let shown: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    let values = shown.as_object().expect("an object").iter().map(|(key, it)| (key.clone(), it["value"].clone()));
    (values.collect::<serde_json::Map<_, _>>().into(), stderr(&output))
}

const ID: &str = "11111111-2222-3333-4444-555555555555";

#[test]
fn showcase_xml() {
    let place = Place::new("showcase");
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Configuration><Account><RemoteRenderingDomains>\
         <RemoteRenderingDomain><Label>West US 2</Label><Value>westus2.mixedreality.azure.com</Value>\
         </RemoteRenderingDomain><RemoteRenderingDomain><Label>b</Label><Value>b.example</Value>\
         </RemoteRenderingDomain></RemoteRenderingDomains><AccountDomain>westus2.mixedreality.azure.com</AccountDomain>\
         <AccountId>{ID}</AccountId><AccountKey>a&amp;b</AccountKey><AppId/></Account>\
         <Session><Size>Premium</Size><MaxLeaseTime>1800.5</MaxLeaseTime><AutoRenewLease>true</AutoRenewLease></Session>\
         </Configuration>"
    );
    let (values, notes) = read(&place, "arr.account.xml", &text, &[]);
    let domain = "westus2.mixedreality.azure.com";
    assert_eq!(
        values,
        json!({ "account_id": ID, "account_key": "(set)", "account_domain": domain, "service_endpoint": domain,
                "size": "premium", "lease": "30m" })
    );
    assert_eq!(notes, format!("note: arr.account.xml has 2 regions; the first, {domain}, is used\n"));
}

#[test]
fn profiles_of_arrt() {
    let place = Place::new("arrt");
    let profile = |name: &str| {
        json!({ "name": name, "arr_account_id": ID, "arr_account_key": "a2V5", "arr_account_domain": "westus2",
                "arr_region": name, "storage_account_name": "x" })
    };
    let one = json!({ "Profiles": [profile("eastus")] }).to_string();
    assert_eq!(read(&place, "ARR-profiles.json", &one, &[]).0["service_endpoint"], "eastus");
    let two = json!({ "Profiles": [profile("eastus"), profile("uksouth")] }).to_string();
    assert_eq!(read(&place, "two.json", &two, &["--profile", "uksouth"]).0["service_endpoint"], "uksouth");
    let refused = |name: &str, text: &str, expected: &str| {
        place.write(name, text);
        let output = place.bare(&["list", "--config", name]).assert().code(2);
        let stderr = stderr(&output);
        assert!(stderr.contains(expected), "{stderr}");
    };
    refused("two.json", &two, "has several accounts: eastus, uksouth");
    let other = place.bare(&["list", "--config", "two.json", "--profile", "x"]).assert().code(2);
    let stderr = stderr(&other);
    assert!(stderr.contains("two.json has no account \"x\", but eastus, uksouth"), "{stderr}");
    let old = json!({ "arraccount": { "id": ID, "key": "01000000d08c9ddf", "region": "westus2" } }).to_string();
    refused("config.json", &old, "its account key is encrypted");
    refused("ARR-config.json", "{\"CustomRegions\": []}", "give ARR-profiles.json");
}

#[test]
fn scenes_and_assets_of_unity() {
    let place = Place::new("unity");
    let scene = format!(
        "%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n--- !u!114 &12\nMonoBehaviour:\n  m_Name: \n  \
         RemoteRenderingDomain: westus2.mixedreality.azure.com\n  AccountDomain: westus2.mixedreality.azure.com\n  \
         AccountId: {ID}\n  AccountKey: a2V5\n  MaxLeaseTimeHours: 1\n  MaxLeaseTimeMinutes: 30\n  VMSize: 2\n"
    );
    let (values, _) = read(&place, "Quickstart.unity", &scene, &[]);
    assert_eq!((&values["lease"], &values["size"]), (&json!("1h 30m"), &json!("premium")));
    assert_eq!((&values["account_id"], &values["account_key"]), (&json!(ID), &json!("(set)")));
    let asset = format!(
        "%YAML 1.1\n--- !u!114 &11400000\nMonoBehaviour:\n  size: 1\n  maxLeaseTime: 1800\n  remoteRenderingDomains:\n  \
         - westeurope.mixedreality.azure.com\n  AccountId: {ID}\n  AccountDomain: westus2.mixedreality.azure.com\n  \
         AccountKey: <key>\n"
    );
    let (values, notes) = read(&place, "profile.asset", &asset, &[]);
    assert_eq!((&values["lease"], &values["size"]), (&json!("30m"), &json!("standard")));
    assert_eq!(values["service_endpoint"], "westeurope.mixedreality.azure.com");
    assert_eq!(notes, "note: AccountKey in profile.asset is still a placeholder; it is ignored\n");
}

#[test]
fn an_endpoint_that_another_member_replaces_is_named() {
    let place = Place::new("two_domains");
    let account = json!({ "arrAccountId": ID, "arrAccountKey": "a2V5", "arrAccountDomain": "westus2",
                          "authenticationEndpoint": "http://127.0.0.1:8722", "region": "westus2" });
    let text = json!({ "accountSettings": account }).to_string();
    let (values, notes) = read(&place, "arrconfig.json", &text, &[]);
    assert_eq!((&values["account_domain"], &values["service_endpoint"]), (&"westus2".into(), &"westus2".into()));
    let ignored =
        "note: authenticationEndpoint in arrconfig.json is ignored: arrAccountDomain in arrconfig.json comes first\n";
    assert_eq!(notes, ignored);
}
