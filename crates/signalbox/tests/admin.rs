//! `signalbox admin` as a script sees it: JSON on stdout, one line on stderr, exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::process::{Command, Output};

use serde_json::{Value, json};

struct Site(tempfile::TempDir);

impl Site {
    fn new(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[database]\nurl = \"sqlite://{}\"\n{configuration}",
            folder.path().join("a.db").display()
        );
        std::fs::write(folder.path().join("signalbox.toml"), text).unwrap();
        Self(folder)
    }

    fn run(&self, line: &str) -> Output {
        let config = self.0.path().join("signalbox.toml");
        let words = line.split_whitespace();
        Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .arg("admin")
            .args(words)
            .arg("--config")
            .arg(config)
            .output()
            .unwrap()
    }

    /// What a command prints with `--json`.
    fn json(&self, line: &str) -> Value {
        let output = self.run(&format!("{line} --json"));
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn account(&self, email: &str) -> String {
        let made = self.json(&format!("account create --email {email}"));
        made["account_id"].as_str().unwrap().to_owned()
    }

    /// The exit code and the line on stderr.
    fn refused(&self, line: &str) -> (i32, String) {
        let output = self.run(line);
        assert!(output.stdout.is_empty(), "{line}: {output:?}");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

#[test]
fn money_that_an_operator_moves_is_on_a_statement_that_adds_up() {
    let site = Site::new("[credits]\npromo = \"0.5\"\n");
    let (ann, eve) = (site.account("ann@example.com"), site.account("eve@example.com"));
    site.json(&format!("grant --account {ann} --usd 100"));
    let moved = site.json(&format!("transfer --from {ann} --to {eve} --usd 30.000000001"));
    assert_eq!(moved["data"]["balance"], json!(70.499999999));
    let adjusted = site.json(&format!("adjust --account {ann} --usd -0.499999999 --reason typo"));
    assert_eq!((&adjusted["amount"], &adjusted["balance"]), (&json!(-0.499999999), &json!(70)));

    let statement = site.json(&format!("statement --account {ann}"));
    assert_eq!((&statement["adds_up"], &statement["closing_balance"]), (&json!(true), &json!(70)));
    let kinds: Vec<_> =
        statement["lines"].as_array().unwrap().iter().map(|line| &line["kind"]).collect();
    assert_eq!(kinds, ["promo", "grant", "transfer", "adjustment"]);
    let text = site.run(&format!("statement --account {ann}"));
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.trim_end().ends_with("it adds up to the nano-dollar"), "{text}");
    let csv = site.run(&format!("statement --account {ann} --csv --from 2020-01-01"));
    assert_eq!(String::from_utf8(csv.stdout).unwrap().lines().count(), 7);
    let later = site.json(&format!("statement --account {ann} --from 2100-01-01"));
    assert_eq!((&later["opening_balance"], &later["lines"]), (&json!(70), &json!([])));

    let report = site.json("audit");
    assert_eq!((&report["breach_count"], &report["checked"]["transfers"]), (&json!(0), &json!(5)));
}

#[test]
fn a_grant_with_a_name_is_made_once() {
    let site = Site::new("");
    let ann = site.account("ann@example.com");
    for _ in 0..2 {
        let granted = site.json(&format!("grant --account {ann} --usd 5 --id demo-{ann}"));
        assert_eq!(granted["balance"], json!(5));
    }
    let (code, complaint) = site.refused(&format!("grant --account {ann} --usd 6 --id demo-{ann}"));
    assert_eq!(code, 1, "{complaint}");
    assert_eq!(site.json(&format!("grant --account {ann} --usd 1"))["balance"], json!(6));
}

#[test]
fn vouchers_plans_and_invoices_are_made_by_the_operator() {
    let site = Site::new("[plans.enterprise]\nrequests_per_minute = 600\n");
    let ann = site.account("ann@example.com");
    let made = site.json("voucher create --usd 5 --uses 3 --expires 2100-01-01 --reason fair");
    assert_eq!(made["code"].as_str().unwrap().len(), 30);
    let listed = site.json("voucher list");
    assert_eq!((&listed[0]["code_hash"], &listed[0]["uses"]), (&made["code_hash"], &json!(3)));
    assert!(!listed.to_string().contains(made["code"].as_str().unwrap()));

    let line = format!("plan set --account {ann} --plan enterprise --credit-line 1000");
    let plan = site.json(&format!("{line} --terms {{\"byok_fee_bps\":300}} --share-data true"));
    assert_eq!(
        (&plan["plan"]["tier"], &plan["plan"]["byok_fee_bps"]),
        (&json!("enterprise"), &json!(300))
    );
    assert_eq!(
        (&plan["plan"]["requests_per_minute"], &plan["credit_line"]),
        (&json!(600), &json!(1000))
    );
    let derived = site.json(&format!("plan set --account {ann} --plan derived"));
    assert_eq!((&derived["plan"]["tier"], &derived["shares_data"]), (&json!("free"), &json!(true)));
    let frozen = site.json(&format!("account freeze --account {ann} --reason dispute"));
    assert_eq!(frozen["frozen"]["reason"], "dispute");
    assert_eq!(site.json(&format!("account unfreeze --account {ann}"))["frozen"], Value::Null);
    assert_eq!(site.json(&format!("plan show --account {ann}"))["account_id"], json!(ann));

    let invoice = site.json(&format!("invoice issue --account {ann} --month 2026-01"));
    let id = invoice["id"].as_str().unwrap();
    assert_eq!((&invoice["status"], &invoice["amount"]), (&json!("open"), &json!(0)));
    assert_eq!(site.json(&format!("invoice settle --invoice {id}"))["status"], "paid");
    assert_eq!(site.json(&format!("invoice list --account {ann}"))[0]["status"], "paid");
    assert_eq!(
        site.json("expire-credits"),
        json!({"credits": 0, "amount": 0, "accounts_in_use": 0})
    );
}

#[test]
fn a_refusal_is_exit_code_1_and_a_mistake_exit_code_2() {
    let site = Site::new("");
    let ann = site.account("ann@example.com");
    for line in [
        format!("transfer --from {ann} --to {ann} --usd 1"),
        format!("transfer --from {ann} --to acc_x --usd 1"),
        format!("adjust --account {ann} --usd -1 --reason x"),
        format!("adjust --account {ann} --usd 0 --reason x"),
        "statement --account acc_x".to_owned(),
        format!("statement --account {ann} --from 2026-02-01 --to 2026-01-01"),
        "voucher create --usd 0".to_owned(),
        "voucher create --usd 1 --uses 0".to_owned(),
        format!("plan set --account {ann} --terms {{\"nothing\":1}}"),
        "account freeze --account acc_x --reason y".to_owned(),
        format!("invoice issue --account {ann} --month 2100-01"),
        "invoice void --invoice none".to_owned(),
    ] {
        let (code, said) = site.refused(&line);
        assert_eq!((code, said.trim_end().lines().count()), (1, 1), "{line}: {said}");
    }
    for line in [
        format!("statement --account {ann} --from yesterday"),
        format!("plan set --account {ann} --plan gold"),
        format!("invoice issue --account {ann} --month 2026"),
        format!("adjust --account {ann} --usd 0.5"),
        "voucher create --usd one".to_owned(),
    ] {
        assert_eq!(site.refused(&line).0, 2, "{line}");
    }
}

#[test]
fn a_gateway_without_the_key_of_its_secrets_does_not_start() {
    let site = Site::new("");
    let (code, line) = site.refused("secrets status");
    assert!(code == 2 && line.contains("the first start makes"), "{line}");
    let key = site.0.path().join("secrets.key");
    assert!(!key.exists(), "a command makes none");
    // A process that serves made it, with what it left.
    std::fs::write(&key, format!("{}\n", "0123456789abcdef".repeat(4))).unwrap();
    let chmod = |mode: &str| {
        assert!(Command::new("chmod").arg(mode).arg(&key).status().unwrap().success());
    };
    chmod("600");
    let serve = || {
        let config = site.0.path().join("signalbox.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, line) = serve();
    assert!(code == 2 && line.contains("not drawn at random"), "{line}");
    let good = "8d1f0c5a7be94236fd2e61b8a3907c54ee15d0b27f83a96cc4481b3f5d6e902a";
    std::fs::write(&key, good).unwrap();
    chmod("644");
    let (code, line) = serve();
    assert!(code == 2 && line.contains("everybody on this machine"), "{line}");
    assert!(!line.contains(good), "{line}");
    chmod("600");
    let moved = site.json("secrets rotate");
    assert_eq!(moved, json!({"moved": 0, "overtaken": 0, "unreadable": 0}));
    let status = site.json("secrets status");
    assert_eq!(
        (&status["unreadable_count"], &status["keys"][0]["secrets"]),
        (&json!(0), &json!(1))
    );
    let id = status["key"].as_str().unwrap();
    let (code, line) = site.refused(&format!("secrets forget --key {id}"));
    assert!(code == 1 && line.contains("is not lost"), "{line}");

    std::fs::rename(&key, site.0.path().join("elsewhere.key")).unwrap();
    let (code, line) = serve();
    assert!(code == 2 && line.contains("1 stored secrets can't be opened"), "{line}");
    assert!(line.contains("is missing") && !key.exists(), "{line}");
    std::fs::write(&key, good.replace('8', "7")).unwrap();
    chmod("600");
    let (code, line) = serve();
    assert!(code == 2 && line.contains("1 of 1 stored secrets can't be opened"), "{line}");
    assert!(line.contains(id), "{line}");
    let output = site.run("secrets status --json");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let gone = site.json(&format!("secrets forget --key {id}"));
    assert_eq!(gone, json!({ "erased": 1 }));
    assert_eq!(site.json("secrets rotate")["moved"], 0, "it can start again");
}

#[test]
fn single_sign_on_is_for_organizations_and_a_connection_that_is_there() {
    let site = Site::new("");
    let person = site.account("ada@example.com");
    let connect = format!(
        "sso connect --organization {person} --domain a.example --issuer https://idp.a.example \
         --client-id us"
    );
    let (code, line) = site.refused(&connect);
    assert_eq!((code, line.contains("organization not found")), (1, true), "{line}");
    let nothing = format!("{connect} --client-secret env:SIGNALBOX_NOT_SET_ANYWHERE");
    assert_eq!(site.refused(&nothing).0, 2);
    assert_eq!(site.json(&format!("sso list --organization {person}")), json!([]));
    for verb in ["enable", "disable", "delete"] {
        let (code, line) = site.refused(&format!("sso {verb} 00000000"));
        assert_eq!((code, line.contains("connection not found")), (1, true), "{line}");
    }
}
