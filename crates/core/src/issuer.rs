//! Whom we know a sender to be.

use crate::draft::Format;
use crate::principal::Authority;

/// An agency known by more than one spelling of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer {
    /// Its one name here, which scopes ids, references and threads.
    pub name: &'static str,
    /// Its country, ISO 3166-1 alpha-2; none for those of several.
    pub country: Option<&'static str>,
    /// True for a national authority: what it says without any place holds for its country.
    pub national: bool,
    /// Its senders in lower case: an address, a domain (`dwd.de`, which stands for its subdomains
    /// too), or a code.
    senders: &'static [&'static str],
}

/// Every issuer we know. Append only: an identity already seen keeps the namespace it had.
const REGISTRY: &[Issuer] = &[
    known("noaa-nws", "US", &["nws.noaa.gov", "w-nws.webmaster@noaa.gov", "nws.webmaster@noaa.gov", "weather.gov"]),
    known("noaa-ntwc", "US", &["wcatwc.arh.noaa.gov", "newwcatwc.arh.noaa.gov", "ntwc.arh.noaa.gov", "tsunami.gov"]),
    known("usgs", "US", &["usgs.gov"]),
    Issuer { name: "cisn", country: Some("US"), national: false, senders: &["cisn.org"] },
    known("us-dhs", "US", &["dhs.gov"]),
    known("eccc", "CA", &["ec.gc.ca", "cap-pac@canada.ca", "canada.ca"]),
    known("dwd", "DE", &["dwd.de"]),
    Issuer { name: "gdacs", country: None, national: false, senders: &["gdacs.org"] },
    known("geosphere-at", "AT", &["zamg.ac.at", "geosphere.at"]),
    known("kmi-be", "BE", &["kmi-irm", "meteo.be"]),
    known("anam-bf", "BF", &["meteoburkina.bf"]),
    known("cma", "CN", &["cma.gov.cn", "cma.cn"]),
    known("onm-dz", "DZ", &["meteo.dz"]),
    known("aemet", "ES", &["aemet.es"]),
    known("ims-il", "IL", &["ims.gov.il"]),
    known("smg-mo", "MO", &["smg.gov.mo"]),
    known("mecom-ru", "RU", &["mecom.ru", "meteoinfo.ru"]),
    known("sma-sc", "SC", &["meteo.gov.sc"]),
    Issuer { name: "nsw-rfs", country: Some("AU"), national: false, senders: &["rfs.nsw.gov.au"] },
    Issuer { name: "tas-ses", country: Some("AU"), national: false, senders: &["ses.tas.gov.au"] },
    known("bom", "AU", &["bom.gov.au"]),
];

const fn known(name: &'static str, country: &'static str, senders: &'static [&'static str]) -> Issuer {
    Issuer { name, country: Some(country), national: true, senders }
}

/// Every issuer we know.
pub fn all() -> impl Iterator<Item = &'static Issuer> {
    REGISTRY.iter()
}

/// The issuer registered under this name.
pub fn registered(name: &str) -> Option<&'static Issuer> {
    REGISTRY.iter().find(|issuer| issuer.name == name)
}

/// The registered issuer that writes its name so.
pub fn of_sender(sender: &str) -> Option<&'static Issuer> {
    let sender = sender.trim().to_lowercase();
    let domain = normalized(&sender);
    let is_its = |name: &str| {
        sender == name || domain == name || domain.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
    };
    REGISTRY.iter().find(|issuer| issuer.name == sender || issuer.senders.iter().any(|name| is_its(name)))
}

/// In whose name a message speaks: what scopes its ids, references and threads.
///
/// A format that names its issuer speaks in that issuer's name. Elsewhere a sender's name lives
/// within the bringer's own namespace, unless it is a registered issuer or a name that the bringer
/// is bound to; whether the bringer may use it is for `authorize` to say.
pub fn speaker(format: Format, sender: &str, authority: &Authority) -> String {
    let sender = sender.trim();
    match format {
        Format::Usgs => return "usgs".to_owned(),
        Format::Nws if sender.is_empty() => return "noaa-nws".to_owned(),
        _ if sender.is_empty() => return authority.namespace.clone(),
        _ => {}
    }
    if let Some(issuer) = of_sender(sender) {
        return issuer.name.to_owned();
    }
    // A CloudEvents source is a whole address: its path tells sources apart.
    let name = if format == Format::CloudEvents { sender.to_owned() } else { normalized(sender) };
    let own = name == authority.namespace;
    if own || format.names_its_issuer() || authority.is_bound_to(&name) {
        name
    } else {
        format!("{}/{name}", authority.namespace)
    }
}

/// A sender's domain without `www.`, else the sender in lower case.
fn normalized(sender: &str) -> String {
    let sender = sender.trim().to_lowercase();
    let host = match sender.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#', ':']).next().unwrap_or(rest),
        None => sender.rsplit_once('@').map_or(sender.as_str(), |(_, domain)| domain),
    };
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Issuers;

    fn check(sender: &str, expected: &str) {
        let authority =
            Authority { namespace: "k".into(), issuers: Issuers::Only(vec![]), may_publish: true, says_only: None };
        assert_eq!(speaker(Format::Cap, sender, &authority), expected, "{sender}");
    }

    #[test]
    fn every_spelling_leads_to_one_issuer() {
        for sender in ["w-nws.webmaster@noaa.gov", "KSTO@NWS.NOAA.GOV", "https://www.weather.gov/", "noaa-nws"] {
            check(sender, "noaa-nws");
        }
        check("http://earthquake.usgs.gov/research/monitoring/anss/neic/", "usgs");
        check("http://newwcatwc.arh.noaa.gov/tsuPortal/", "noaa-ntwc");
        check("cap-pac@ec.gc.ca", "eccc");
        check("opendata@dwd.de", "dwd");
        check("www.meteo.dz", "onm-dz");
        check("kmi-irm", "kmi-be");
        check("someone@fakedwd.de", "fakedwd.de");
        check("Penglai_District_Meteorological_Observatory", "penglai_district_meteorological_observatory");
    }

    #[test]
    fn names_elsewhere_live_in_the_bringers_namespace() {
        let mut authority =
            Authority { namespace: "k".into(), issuers: Issuers::Only(vec![]), may_publish: true, says_only: None };
        assert_eq!(speaker(Format::Native, "", &authority), "k");
        assert_eq!(speaker(Format::Native, "City Desk", &authority), "k/city desk");
        assert_eq!(speaker(Format::Native, "usgs", &authority), "usgs", "for authorize to refuse");
        authority.issuers = Issuers::Only(vec!["city desk".into()]);
        assert_eq!(speaker(Format::Native, "City Desk", &authority), "city desk");
    }
}
