//! Alerts of our own making, shaped like recorded ones.

/// Name and text of each sample.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("small: one info, 5 points", alert(1, 1, 5, 6)),
        ("usual: two languages, 27 points", alert(2, 1, 27, 8)),
        ("bilingual: 16 areas of 22 points", alert(2, 8, 22, 4)),
        ("eight languages, 169 areas of 6 points", alert(8, 169, 6, 4)),
        ("codes only: two languages, 15 areas", alert(2, 15, 0, 4)),
        ("huge: one ring of 41,000 points", alert(1, 1, 41_000, 6)),
    ]
}

fn alert(languages: usize, areas: usize, points: usize, decimals: usize) -> String {
    let places: String = (0..areas).map(|area| place(area, points, decimals)).collect();
    let infos: String = ["en", "de", "fr", "es", "ar", "ru", "tr", "pl"][..languages]
        .iter()
        .map(|language| {
            format!(
                "  <info>\n    <language>{language}</language>\n    <category>Met</category>\n    <event>Severe Thunderstorm Warning</event>\n    \
                 <responseType>Shelter</responseType>\n    <urgency>Immediate</urgency>\n    <severity>Severe</severity>\n    <certainty>Observed</certainty>\n    \
                 <eventCode>\n      <valueName>SAME</valueName>\n      <value>SVR</value>\n    </eventCode>\n    \
                 <effective>2026-01-02T03:04:05+01:00</effective>\n    <onset>2026-01-02T03:04:05+01:00</onset>\n    <expires>2026-01-02T06:00:00+01:00</expires>\n    \
                 <senderName>Weather Service of Example</senderName>\n    <headline>Severe thunderstorm warning for the south of Example until six</headline>\n    \
                 <description>At three o'clock a severe thunderstorm was seen over the south, moving north &amp; east at 30 km/h. Hail, heavy rain and damaging winds are likely; \
                 cellars may fill within minutes, trees may fall on roads and lines.</description>\n    <instruction>Go inside, away from windows, until the storm has passed.</instruction>\n    \
                 <web>https://weather.example.org/warnings</web>\n    <contact>desk@weather.example.org</contact>\n    \
                 <parameter>\n      <valueName>awareness_level</valueName>\n      <value>3; orange; Severe</value>\n    </parameter>\n    \
                 <parameter>\n      <valueName>gusts</valueName>\n      <value>90 km/h</value>\n    </parameter>\n{places}  </info>\n"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n  <identifier>urn:oid:2.49.0.1.999.0.2026.1</identifier>\n  \
         <sender>warn@weather.example.org</sender>\n  <sent>2026-01-02T03:04:05+01:00</sent>\n  <status>Actual</status>\n  <msgType>Alert</msgType>\n  \
         <source>desk 4</source>\n  <scope>Public</scope>\n{infos}</alert>\n"
    )
}

/// An area with a ring of `points` around a center of its own, or with codes alone.
fn place(area: usize, points: usize, decimals: usize) -> String {
    let corner = |point: usize| {
        let turn = (point % points) as f64 / points as f64 * std::f64::consts::TAU;
        let (lat, lon) = (46.0 + 0.3 * turn.sin(), 6.0 + 0.05 * area as f64 + 0.4 * turn.cos());
        format!("{lat:.decimals$},{lon:.decimals$}")
    };
    let shape = match points {
        0 => String::new(),
        _ => {
            let corners: Vec<String> = (0..=points).map(corner).collect();
            format!("      <polygon>{}</polygon>\n", corners.join(" "))
        }
    };
    format!(
        "    <area>\n      <areaDesc>District {area}</areaDesc>\n{shape}      <geocode>\n        <valueName>WARNCELLID</valueName>\n        <value>80{area:07}</value>\n      </geocode>\n      \
         <geocode>\n        <valueName>NUTS3</valueName>\n        <value>EX{area:03}</value>\n      </geocode>\n    </area>\n"
    )
}
