//! The kinds of hazard and their numbers.
//!
//! Chains are as long, and end as often, as those of recorded national feeds (half of the chains
//! have two messages, a tenth of the messages say that it is over). Shares are picked so that a day
//! has some of everything.

use tidings_core::vocabulary::{Category, Certainty, Urgency};

use super::{Gauge, Hazard, Origin, Outline};
use crate::climate::Climate;

const NOW: (Urgency, Certainty) = (Urgency::Immediate, Certainty::Observed);
const SOON: (Urgency, Certainty) = (Urgency::Expected, Certainty::Likely);
const LATER: (Urgency, Certainty) = (Urgency::Future, Certainty::Possible);

/// What most hazards have in common.
const BASE: Hazard = Hazard {
    category: Category::Other,
    kind: "other",
    source: "civil-protection.example",
    names: ["Notice", "Aviso", "Avis", "Mitteilung", "Aviso", "お知らせ"],
    share: 3.0,
    steps: (1, 3),
    every_min: 60.0,
    outline: Outline::Circle,
    origin: Origin::People,
    radius_km: (2.0, 10.0),
    speed_kmh: 0.0,
    growth: 1.0,
    severities: [40, 40, 15, 5],
    escalates: 0.1,
    over: (0.08, 0.5),
    lasts_h: 6.0,
    outlook: SOON,
    formats: (0.15, 0.05),
    climate: Climate::Always,
    gauge: None,
    description: "The situation is being watched.",
    instruction: "Follow the advice of the local authorities.",
};

const WEATHER: Hazard = Hazard {
    category: Category::Weather,
    source: "weather-service.example",
    formats: (0.35, 0.05),
    severities: [10, 50, 35, 5],
    outline: Outline::Blob,
    radius_km: (40.0, 180.0),
    every_min: 180.0,
    ..BASE
};

const SERVICE: Hazard = Hazard {
    source: "operations.example",
    formats: (0.0, 0.5),
    severities: [40, 45, 14, 1],
    outlook: NOW,
    over: (0.02, 0.9),
    lasts_h: 4.0,
    ..BASE
};

/// Begins only after a great quake under the sea.
pub(crate) const TSUNAMI: Hazard = Hazard {
    category: Category::Tsunami,
    kind: "tsunami",
    source: "tsunami-center.example",
    names: [
        "Tsunami warning",
        "Alerta de tsunami",
        "Alerte au tsunami",
        "Tsunamiwarnung",
        "Alerta de tsunami",
        "津波警報",
    ],
    share: 0.0,
    steps: (3, 8),
    every_min: 25.0,
    radius_km: (300.0, 900.0),
    severities: [0, 10, 50, 40],
    over: (0.6, 0.4),
    outlook: NOW,
    formats: (0.6, 0.0),
    gauge: Some(Gauge { name: "wave_height_m", low: 0.3, high: 6.0 }),
    description: "A great earthquake under the sea may have raised a tsunami.",
    instruction: "Leave the shore and move to higher ground at once.",
    ..BASE
};

#[rustfmt::skip]
pub(crate) const HAZARDS: &[Hazard] = &[
    Hazard {
        kind: "weather.thunderstorm.severe", share: 90.0, steps: (2, 8), every_min: 12.0, outline: Outline::Cone,
        names: ["Severe thunderstorm", "Tormenta eléctrica severa", "Orage violent", "Schweres Gewitter", "Tempestade severa", "激しい雷雨"],
        radius_km: (12.0, 35.0), speed_kmh: 45.0, severities: [0, 25, 65, 10], escalates: 0.12, over: (0.15, 0.45),
        lasts_h: 1.0, outlook: NOW, climate: Climate::SummerAfternoon,
        gauge: Some(Gauge { name: "wind_gust_ms", low: 18.0, high: 38.0 }),
        description: "Gusts, hail and heavy rain. The storm is moving on.", instruction: "Go indoors and stay away from windows.", ..WEATHER
    },
    Hazard {
        kind: "weather.tornado", share: 10.0, steps: (1, 5), every_min: 8.0, outline: Outline::Cone,
        names: ["Tornado warning", "Alerta de tornado", "Alerte à la tornade", "Tornadowarnung", "Alerta de tornado", "竜巻警報"],
        radius_km: (4.0, 12.0), speed_kmh: 50.0, severities: [0, 0, 40, 60], over: (0.3, 0.3), lasts_h: 0.75, outlook: NOW,
        climate: Climate::SummerAfternoon,
        description: "A rotating storm was seen by radar.", instruction: "Take shelter in the lowest room now.", ..WEATHER
    },
    Hazard {
        kind: "weather.wind", share: 45.0, steps: (1, 5), radius_km: (60.0, 260.0), speed_kmh: 30.0, lasts_h: 12.0, climate: Climate::Winter,
        names: ["High wind", "Viento fuerte", "Vent violent", "Sturm", "Vento forte", "暴風"],
        gauge: Some(Gauge { name: "wind_gust_ms", low: 15.0, high: 35.0 }),
        description: "Strong wind over a wide area.", instruction: "Secure loose objects.", ..WEATHER
    },
    Hazard {
        kind: "weather.snow", share: 30.0, steps: (1, 6), lasts_h: 18.0, climate: Climate::Winter,
        names: ["Heavy snow", "Nevada intensa", "Fortes chutes de neige", "Starker Schneefall", "Neve intensa", "大雪"],
        gauge: Some(Gauge { name: "snow_cm", low: 5.0, high: 60.0 }), growth: 1.08,
        description: "Snow and drifting on roads.", instruction: "Avoid travel.", ..WEATHER
    },
    Hazard {
        kind: "weather.heat", share: 30.0, steps: (1, 5), every_min: 480.0, lasts_h: 36.0, climate: Climate::Summer,
        names: ["Extreme heat", "Calor extremo", "Canicule", "Extreme Hitze", "Calor extremo", "猛暑"],
        gauge: Some(Gauge { name: "temperature_c", low: 34.0, high: 47.0 }),
        description: "Very hot days and warm nights.", instruction: "Drink water and look after older neighbors.", ..WEATHER
    },
    Hazard {
        kind: "weather.cold", share: 18.0, steps: (1, 4), every_min: 480.0, lasts_h: 36.0, climate: Climate::Winter,
        names: ["Extreme cold", "Frío extremo", "Grand froid", "Strenger Frost", "Frio extremo", "厳しい寒さ"],
        gauge: Some(Gauge { name: "temperature_c", low: -38.0, high: -8.0 }),
        description: "Dangerously cold air.", instruction: "Keep pipes from freezing and stay warm.", ..WEATHER
    },
    Hazard {
        kind: "weather.fog", share: 22.0, steps: (1, 2), severities: [60, 40, 0, 0], lasts_h: 8.0, climate: Climate::WinterMorning,
        names: ["Dense fog", "Niebla densa", "Brouillard dense", "Dichter Nebel", "Nevoeiro denso", "濃霧"],
        description: "Sight below 150 meters.", instruction: "Drive slowly.", ..WEATHER
    },
    Hazard {
        kind: "weather.tropical_cyclone", share: 4.0, steps: (8, 36), every_min: 180.0, outline: Outline::Cone, origin: Origin::Tropics,
        names: ["Tropical cyclone", "Ciclón tropical", "Cyclone tropical", "Tropischer Wirbelsturm", "Ciclone tropical", "台風"],
        radius_km: (120.0, 350.0), speed_kmh: 20.0, growth: 1.02, severities: [0, 40, 50, 10], escalates: 0.15, over: (0.0, 0.9),
        lasts_h: 24.0, gauge: Some(Gauge { name: "wind_ms", low: 18.0, high: 65.0 }), climate: Climate::Summer,
        description: "A tropical cyclone with storm surge and flooding rain.", instruction: "Finish preparations and follow evacuation orders.", ..WEATHER
    },
    Hazard {
        category: Category::Flood, kind: "flood.flash", share: 35.0, steps: (1, 5), every_min: 40.0, radius_km: (10.0, 40.0), lasts_h: 4.0,
        names: ["Flash flood", "Inundación repentina", "Crue soudaine", "Sturzflut", "Enchente repentina", "鉄砲水"],
        severities: [0, 20, 65, 15], over: (0.12, 0.4), outlook: NOW, climate: Climate::SummerAfternoon,
        description: "Heavy rain on soaked ground.", instruction: "Move to higher ground. Never drive through water.", ..WEATHER
    },
    Hazard {
        category: Category::Flood, kind: "flood.river", share: 30.0, steps: (2, 10), every_min: 360.0, radius_km: (15.0, 80.0), lasts_h: 36.0,
        names: ["River flood", "Inundación fluvial", "Crue", "Hochwasser", "Cheia", "洪水"],
        severities: [20, 45, 30, 5], growth: 1.04, gauge: Some(Gauge { name: "river_level_m", low: 2.0, high: 9.0 }), climate: Climate::Wet,
        description: "The river is above its flood stage and rising.", instruction: "Keep away from the banks.", ..WEATHER
    },
    Hazard {
        category: Category::FireWeather, kind: "fire_weather", share: 10.0, steps: (1, 3), every_min: 480.0, lasts_h: 18.0, climate: Climate::Summer,
        names: ["Fire weather", "Tiempo propicio a incendios", "Risque d'incendie", "Waldbrandgefahr", "Risco de incêndio", "火災気象通報"],
        outlook: LATER, description: "Hot, dry and windy.", instruction: "Light no fires outdoors.", ..WEATHER
    },
    Hazard {
        category: Category::Wildfire, kind: "wildfire", source: "fire-agency.example", share: 30.0, steps: (3, 18), every_min: 120.0,
        names: ["Wildfire", "Incendio forestal", "Feu de forêt", "Waldbrand", "Incêndio florestal", "林野火災"],
        radius_km: (1.0, 8.0), speed_kmh: 0.6, growth: 1.18, severities: [45, 35, 15, 5], escalates: 0.2, over: (0.0, 0.8), lasts_h: 24.0,
        outline: Outline::Blob, outlook: NOW, climate: Climate::Summer, gauge: Some(Gauge { name: "burned_ha", low: 2.0, high: 300.0 }),
        description: "The fire is growing; crews are on site.", instruction: "Be ready to leave.", ..BASE
    },
    Hazard {
        category: Category::Fire, kind: "fire.structure", source: "dispatch.example", share: 50.0, steps: (1, 3), every_min: 25.0, outline: Outline::Point,
        names: ["Structure fire", "Incendio de edificio", "Incendie de bâtiment", "Gebäudebrand", "Incêndio em edifício", "建物火災"],
        lasts_h: 3.0, outlook: NOW, formats: (0.0, 0.2), climate: Climate::Day,
        description: "Smoke shows from the roof.", instruction: "Close doors and windows.", ..BASE
    },
    Hazard {
        category: Category::Volcano, kind: "volcano.eruption", source: "volcano-observatory.example", share: 6.0, steps: (2, 9), every_min: 300.0,
        names: ["Volcanic eruption", "Erupción volcánica", "Éruption volcanique", "Vulkanausbruch", "Erupção vulcânica", "噴火"],
        origin: Origin::Volcano, radius_km: (5.0, 30.0), growth: 1.05, severities: [40, 35, 20, 5], escalates: 0.15, lasts_h: 48.0,
        gauge: Some(Gauge { name: "ash_height_m", low: 800.0, high: 12_000.0 }), outlook: NOW,
        description: "Ash is rising above the summit.", instruction: "Keep out of the danger zone.", ..BASE
    },
    Hazard {
        category: Category::Landslide, kind: "landslide", share: 8.0, severities: [10, 40, 45, 5], climate: Climate::Wet,
        names: ["Landslide", "Deslizamiento de tierra", "Glissement de terrain", "Erdrutsch", "Deslizamento de terra", "土砂災害"],
        description: "Slopes are moving after rain.", instruction: "Stay away from steep slopes.", ..BASE
    },
    Hazard {
        category: Category::Landslide, kind: "landslide.avalanche", share: 6.0, every_min: 720.0, radius_km: (15.0, 60.0), lasts_h: 24.0,
        names: ["Avalanche danger", "Peligro de aludes", "Risque d'avalanche", "Lawinengefahr", "Perigo de avalanche", "雪崩"],
        climate: Climate::Winter, outlook: LATER, description: "Fresh snow on a weak layer.", instruction: "Stay on open pistes.", ..BASE
    },
    Hazard {
        category: Category::Drought, kind: "drought", share: 3.0, every_min: 1_440.0, radius_km: (150.0, 500.0), lasts_h: 720.0, outline: Outline::Blob,
        names: ["Drought", "Sequía", "Sécheresse", "Dürre", "Seca", "干ばつ"],
        climate: Climate::Summer, description: "Rain is far below normal.", instruction: "Save water.", ..BASE
    },
    Hazard {
        category: Category::AirQuality, kind: "air_quality", source: "environment-agency.example", share: 35.0, steps: (1, 3), every_min: 360.0,
        names: ["Air quality alert", "Alerta de calidad del aire", "Pollution de l'air", "Luftqualität", "Qualidade do ar", "大気汚染"],
        severities: [0, 0, 0, 0], radius_km: (20.0, 90.0), lasts_h: 24.0, formats: (0.4, 0.1),
        gauge: Some(Gauge { name: "aqi", low: 90.0, high: 320.0 }),
        description: "Fine dust is above the limit.", instruction: "Limit exertion outdoors.", ..BASE
    },
    Hazard {
        category: Category::Environment, kind: "environment.spill", share: 6.0, outlook: NOW, description: "Oil on the water.",
        names: ["Oil spill", "Vertido de petróleo", "Marée noire", "Ölunfall", "Derrame de óleo", "油流出"], ..BASE
    },
    Hazard {
        category: Category::Health, kind: "health.outbreak", share: 8.0, every_min: 1_440.0, lasts_h: 168.0, radius_km: (10.0, 60.0),
        names: ["Disease outbreak", "Brote de enfermedad", "Épidémie", "Krankheitsausbruch", "Surto de doença", "感染症"],
        description: "More cases than expected for the season.", instruction: "Wash hands and seek advice early.", ..BASE
    },
    Hazard {
        category: Category::PublicSafety, kind: "public_safety.missing_person", source: "police.example", share: 14.0, outline: Outline::Circle,
        names: ["Missing person", "Persona desaparecida", "Disparition", "Vermisste Person", "Pessoa desaparecida", "行方不明者"],
        over: (0.6, 0.1), radius_km: (5.0, 40.0), lasts_h: 48.0, description: "Last seen on foot.", instruction: "Call the police if you know more.", ..BASE
    },
    Hazard {
        category: Category::PublicSafety, kind: "public_safety.evacuation", share: 8.0, severities: [0, 10, 50, 40], outlook: NOW, escalates: 0.2,
        names: ["Evacuation", "Evacuación", "Évacuation", "Evakuierung", "Evacuação", "避難指示"],
        formats: (0.5, 0.0), description: "Leave the marked area.", instruction: "Go now. Take medicines and papers.", ..BASE
    },
    Hazard {
        category: Category::Cbrne, kind: "cbrne.chemical", share: 4.0, severities: [0, 30, 50, 20], outlook: NOW, steps: (2, 5), every_min: 30.0,
        names: ["Chemical release", "Fuga química", "Fuite chimique", "Chemieunfall", "Vazamento químico", "化学物質漏洩"],
        over: (0.1, 0.9), description: "A cloud is drifting from the plant.", instruction: "Stay indoors and shut off ventilation.", ..BASE
    },
    Hazard {
        category: Category::Transport, kind: "transport.road", share: 90.0, outline: Outline::Point, steps: (1, 3), every_min: 30.0, climate: Climate::Day,
        names: ["Road closed", "Carretera cortada", "Route fermée", "Straße gesperrt", "Estrada interditada", "通行止め"],
        description: "Two lanes are blocked after a crash.", instruction: "Use another road.", ..SERVICE
    },
    Hazard {
        category: Category::Transport, kind: "transport.rail", share: 30.0, steps: (1, 4), every_min: 20.0, climate: Climate::Day,
        names: ["Train service disrupted", "Servicio de trenes interrumpido", "Trafic ferroviaire perturbé", "Zugverkehr gestört", "Trens interrompidos", "運転見合わせ"],
        description: "A signal fault.", instruction: "Allow more time.", ..SERVICE
    },
    Hazard {
        category: Category::Infrastructure, kind: "infrastructure.power_cut", share: 60.0, steps: (1, 5), every_min: 35.0, growth: 0.85,
        names: ["Power cut", "Corte de luz", "Panne de courant", "Stromausfall", "Falta de energia", "停電"],
        gauge: Some(Gauge { name: "customers_affected", low: 200.0, high: 60_000.0 }),
        description: "Crews are restoring supply.", instruction: "Stay away from fallen lines.", ..SERVICE
    },
    Hazard {
        category: Category::Infrastructure, kind: "infrastructure.water", share: 10.0, every_min: 240.0, lasts_h: 48.0,
        names: ["Boil water notice", "Hervir el agua", "Eau à faire bouillir", "Trinkwasser abkochen", "Ferver a água", "断水"],
        description: "Tap water may be polluted.", instruction: "Boil water before drinking.", ..SERVICE
    },
    Hazard {
        category: Category::SpaceWeather, kind: "space_weather.geomagnetic_storm", source: "space-weather.example", share: 2.0, outline: Outline::Nowhere,
        names: ["Geomagnetic storm", "Tormenta geomagnética", "Orage géomagnétique", "Magnetischer Sturm", "Tempestade geomagnética", "磁気嵐"],
        gauge: Some(Gauge { name: "kp", low: 5.0, high: 9.0 }), outlook: LATER, lasts_h: 24.0,
        description: "A coronal mass ejection has arrived.", instruction: "Operators of grids and satellites should be ready.", ..BASE
    },
    Hazard {
        category: Category::System, kind: "system.maintenance", share: 3.0, outline: Outline::Nowhere, steps: (1, 2), severities: [0, 0, 0, 0],
        names: ["Maintenance", "Mantenimiento", "Maintenance", "Wartung", "Manutenção", "保守作業"],
        description: "A feed is read more slowly.", instruction: "Nothing to do.", ..SERVICE
    },
    BASE,
];
