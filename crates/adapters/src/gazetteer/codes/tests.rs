use super::*;

fn check_named(scheme: &str, value: &str, expected: Option<Named>) {
    assert_eq!(named(&Code::new(scheme, value)), expected, "{scheme} {value}");
}

fn check_region(scheme: &str, value: &str, expected: &str) {
    let place = region(&Code::new(scheme, value)).unwrap_or_default();
    assert_eq!([&place.countries[..], &place.regions[..]].concat().join(" "), expected, "{scheme} {value}");
}

#[test]
fn shapes_of_same_and_ugc() {
    let water = |prefix| WATERS.iter().position(|water| water.prefix == prefix).map(Named::Water);
    check_named("SAME", "048113", Some(Named::County(48_113)));
    check_named("same", " 548113 ", Some(Named::County(48_113)));
    check_named("FIPS6", "030049", Some(Named::County(30_049)));
    check_named("SAME", "048000", Some(Named::County(48_000)));
    check_named("SAME", "077650", water("GM"));
    check_named("UGC", "TXC113", Some(Named::County(48_113)));
    check_named("UGC", "txc113", Some(Named::County(48_113)));
    check_named("UGC", "TXZALL", Some(Named::County(48_000)));
    check_named("UGC", "GMZ650", water("GM"));
    for (scheme, value) in [
        ("UGC", "TXZ118"),
        ("UGC", "XXC001"),
        ("UGC", "TXC1"),
        ("UGC", "TX"),
        ("UGC", "ÄÖC001"),
        ("UGC", "TXÄ01"),
        ("UGC", "GMC001"),
        ("SAME", "48"),
        ("SAME", "0481+3"),
        ("SAME", ""),
        ("EMMA_ID", "048113"),
    ] {
        check_named(scheme, value, None);
    }
}

#[test]
fn regions_of_codes() {
    check_region("UGC", "TXZ118", "US US-TX");
    check_region("UGC", "PRC021", "PR US US-PR");
    check_region("UGC", "GUZ001", "GU US US-GU");
    check_region("UGC", "FMZ001", "FM");
    check_region("UGC", "GMZ650", "");
    check_region("SAME", "048999", "US US-TX");
    check_region("SAME", "000000", "US");
    check_region("profile:CAP-CP:Location:0.3", "4711077", "CA CA-SK");
    check_region("profile:CAP-CP:Location:0.3", "99", "CA");
    check_region("layer:EC-MSC-SMC:1.0:CLC", "061211", "CA");
    check_region("WARNCELLID", "812069270", "DE DE-BB");
    check_region("WARNCELLID", "209914000", "DE DE-BY");
    check_region("WARNCELLID", "501000002", "DE");
    check_region("EMMA_ID", "DE001", "DE");
    check_region("EMMA_ID", "UK012", "GB");
    check_region("EMMA_ID", "EI805", "IE");
    check_region("NUTS2", "EL30", "GR");
    check_region("NUTS3", "be211", "BE");
    check_region("urn:oasis:names:tc:emergency:cap:1.2:profile:CAP-AU:1.0:ISO3166-2", "AU-TAS", "AU AU-TAS");
    check_region("http://www.iso.org/iso/country_codes.html", "AU-NSW", "AU AU-NSW");
    check_region("ISO 3166-2", "us-pr", "PR US US-PR");
    check_region("iso_3166-1", "CY", "CY");
    check_region("CPEAS Geographic Code", "130602000000", "CN CN-HE");
    check_region("AEMET-Meteoalerta zona", "622201", "ES");
    check_region("AEMET-Meteoalerta nivel", "amarillo", "");
    for (scheme, value) in [
        ("", ""),
        ("UGC", "Ä"),
        ("NUTS", "1"),
        ("EMMA_ID", "É1"),
        ("ISO3166-2", "AU-"),
        ("ISO3166-2", "AU-ÄÖ"),
        ("WARNCELLID", "1"),
        ("profile:CAP-CP:Location:0.3", "x"),
        ("CPEAS", "é"),
        ("ISO3166-2", "Tasmania"),
    ] {
        check_region(scheme, value, "");
    }
}
