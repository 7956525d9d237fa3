//! What area codes say by themselves: which county, which water, which region.

use tidings_core::event::{Code, Place};

use super::waters::WATERS;

/// States, districts and territories of the US with their FIPS codes; the last three are states in
/// free association, countries of their own.
#[rustfmt::skip]
const STATES: [(u32, &str); 59] = [
    (1, "AL"), (2, "AK"), (4, "AZ"), (5, "AR"), (6, "CA"), (8, "CO"), (9, "CT"), (10, "DE"), (11, "DC"), (12, "FL"),
    (13, "GA"), (15, "HI"), (16, "ID"), (17, "IL"), (18, "IN"), (19, "IA"), (20, "KS"), (21, "KY"), (22, "LA"),
    (23, "ME"), (24, "MD"), (25, "MA"), (26, "MI"), (27, "MN"), (28, "MS"), (29, "MO"), (30, "MT"), (31, "NE"),
    (32, "NV"), (33, "NH"), (34, "NJ"), (35, "NM"), (36, "NY"), (37, "NC"), (38, "ND"), (39, "OH"), (40, "OK"),
    (41, "OR"), (42, "PA"), (44, "RI"), (45, "SC"), (46, "SD"), (47, "TN"), (48, "TX"), (49, "UT"), (50, "VT"),
    (51, "VA"), (53, "WA"), (54, "WV"), (55, "WI"), (56, "WY"), (60, "AS"), (66, "GU"), (69, "MP"), (72, "PR"),
    (78, "VI"), (64, "FM"), (68, "MH"), (70, "PW"),
];
/// Territories that are a country and a subdivision of the US in ISO 3166 at once.
const TERRITORIES: [&str; 5] = ["AS", "GU", "MP", "PR", "VI"];
const FREELY_ASSOCIATED: [&str; 3] = ["FM", "MH", "PW"];
/// Provinces by the first two digits of the Standard Geographical Classification.
#[rustfmt::skip]
const PROVINCES: [(u32, &str); 13] = [
    (10, "NL"), (11, "PE"), (12, "NS"), (13, "NB"), (24, "QC"), (35, "ON"), (46, "MB"), (47, "SK"), (48, "AB"),
    (59, "BC"), (60, "YT"), (61, "NT"), (62, "NU"),
];
/// Lands by the first two digits of the Amtlicher Gemeindeschlüssel.
#[rustfmt::skip]
const LANDS: [(u32, &str); 16] = [
    (1, "SH"), (2, "HH"), (3, "NI"), (4, "HB"), (5, "NW"), (6, "HE"), (7, "RP"), (8, "BW"), (9, "BY"), (10, "SL"),
    (11, "BE"), (12, "BB"), (13, "MV"), (14, "SN"), (15, "ST"), (16, "TH"),
];
/// Divisions of China by the first two digits of GB/T 2260.
#[rustfmt::skip]
const CHINA: [(u32, &str); 34] = [
    (11, "BJ"), (12, "TJ"), (13, "HE"), (14, "SX"), (15, "NM"), (21, "LN"), (22, "JL"), (23, "HL"), (31, "SH"),
    (32, "JS"), (33, "ZJ"), (34, "AH"), (35, "FJ"), (36, "JX"), (37, "SD"), (41, "HA"), (42, "HB"), (43, "HN"),
    (44, "GD"), (45, "GX"), (46, "HI"), (50, "CQ"), (51, "SC"), (52, "GZ"), (53, "YN"), (54, "XZ"), (61, "SN"),
    (62, "GS"), (63, "QH"), (64, "NX"), (65, "XJ"), (71, "TW"), (81, "HK"), (82, "MO"),
];

/// Which shape a code names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A county by its FIPS code, or with county 000 a whole state.
    County(u32),
    /// An index of [`WATERS`].
    Water(usize),
}

/// The county, state or water of a `SAME`, `FIPS6` or `UGC` code.
pub(super) fn named(code: &Code) -> Option<Named> {
    let value = code.value.trim();
    if is_same(&code.scheme) {
        let fips = fips_of_same(value)?;
        let water = WATERS.iter().position(|water| water.same == fips / 1_000);
        return Some(water.map_or(Named::County(fips), Named::Water));
    }
    if !is_ugc(&code.scheme) {
        return None;
    }
    let (prefix, form, number) = split_ugc(value)?;
    if let Some(water) = WATERS.iter().position(|water| prefix.eq_ignore_ascii_case(water.prefix)) {
        return (form == 'Z').then_some(Named::Water(water));
    }
    let state = STATES.iter().find(|(_, state)| prefix.eq_ignore_ascii_case(state))?.0;
    match (form, number) {
        (_, 0) => Some(Named::County(state * 1_000)),
        ('C', county) => Some(Named::County(state * 1_000 + county)),
        _ => None,
    }
}

/// The state's place of a county's FIPS code.
pub(super) fn place_of_county(fips: u32) -> Option<Place> {
    let state = find(&STATES, fips / 1_000)?;
    Some(place_of_state(state))
}

/// The region or country that a code names by itself.
pub(super) fn region(code: &Code) -> Option<Place> {
    let value = code.value.trim();
    if is_same(&code.scheme) {
        let fips = fips_of_same(value)?;
        return if fips == 0 { Some(country("US")) } else { place_of_county(fips) };
    }
    if is_ugc(&code.scheme) {
        let (prefix, ..) = split_ugc(value)?;
        let state = STATES.iter().find(|(_, state)| prefix.eq_ignore_ascii_case(state))?.1;
        return Some(place_of_state(state));
    }
    let scheme: String =
        code.scheme.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    let has = |part: &str| scheme.contains(part);
    if has("CAPCPLOCATION") {
        Some(coded("CA", find(&PROVINCES, leading(value, 0)?)))
    } else if has("MSCSMC") && has("CLC") {
        Some(country("CA"))
    } else if has("WARNCELLID") {
        // 1 and 9 districts and their parts, 2 lakes, 8 municipalities; the others are at sea.
        let is_land = value.starts_with(['1', '2', '8', '9']);
        Some(coded("DE", if is_land { find(&LANDS, leading(value, 1)?) } else { None }))
    } else if has("CPEAS") {
        Some(coded("CN", find(&CHINA, leading(value, 0)?)))
    } else if scheme.starts_with("NUTS") || has("EMMAID") {
        european(value)
    } else if has("ISO3166") || has("ISOCOUNTRYCODES") {
        iso(value)
    } else if has("AEMET") && has("ZONA") {
        Some(country("ES"))
    } else if has("KZSTD") {
        Some(country("KZ"))
    } else if has("PSMA") {
        Some(country("AU"))
    } else if scheme.starts_with("LGD") {
        Some(country("IN"))
    } else {
        None
    }
}

/// Adds to a country code what else ISO has for it: territories of the US lie in the US too, and
/// codes that are reserved for parts of countries become those of the countries.
pub(super) fn add_country(place: &mut Place, id: &str) {
    let id = match id {
        "AC" | "TA" => "SH",
        "CP" => "FR",
        "DG" => "IO",
        "EA" | "IC" => "ES",
        own => own,
    };
    push(&mut place.countries, id);
    if TERRITORIES.contains(&id) {
        push(&mut place.countries, "US");
        push(&mut place.regions, &format!("US-{id}"));
    }
}

/// Adds a code that is not there yet.
pub(super) fn push(codes: &mut Vec<String>, code: &str) {
    if !codes.iter().any(|known| known == code) {
        codes.push(code.to_owned());
    }
}

fn is_same(scheme: &str) -> bool {
    ["SAME", "FIPS6", "FIPS"].iter().any(|name| scheme.trim().eq_ignore_ascii_case(name))
}

fn is_ugc(scheme: &str) -> bool {
    scheme.trim().eq_ignore_ascii_case("UGC")
}

/// `PSSCCC` without its `P`, which says what part of the county is meant; five digits have none.
fn fips_of_same(value: &str) -> Option<u32> {
    let digits = if value.len() == 6 { value.get(1..)? } else { value };
    let is_code = digits.len() == 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_code { digits.parse().ok() } else { None }
}

/// State or water, `C` or `Z`, number: `TXC113`; `000` and `ALL` are the whole of it.
fn split_ugc(value: &str) -> Option<(&str, char, u32)> {
    let (prefix, rest) = (value.get(..2)?, value.get(2..)?);
    let form =
        rest.chars().next().map(|letter| letter.to_ascii_uppercase()).filter(|form| matches!(form, 'C' | 'Z'))?;
    let number = rest.get(1..).filter(|number| number.len() == 3)?;
    let number = if number.eq_ignore_ascii_case("ALL") {
        0
    } else if number.bytes().all(|byte| byte.is_ascii_digit()) {
        number.parse().ok()?
    } else {
        return None;
    };
    Some((prefix, form, number))
}

fn find(table: &[(u32, &'static str)], number: u32) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The number of the two digits at `start`.
fn leading(value: &str, start: usize) -> Option<u32> {
    value.get(start..start + 2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn country(id: &str) -> Place {
    coded(id, None)
}

fn coded(country: &str, part: Option<&str>) -> Place {
    let mut place = Place::default();
    add_country(&mut place, country);
    if let Some(part) = part {
        push(&mut place.regions, &format!("{country}-{part}"));
    }
    place
}

fn place_of_state(state: &str) -> Place {
    if TERRITORIES.contains(&state) || FREELY_ASSOCIATED.contains(&state) {
        return country(state);
    }
    coded("US", Some(state))
}

/// Country of a NUTS or EMMA code, which spell some countries their own way.
fn european(value: &str) -> Option<Place> {
    let prefix = value.get(..2)?.to_ascii_uppercase();
    let id = match prefix.as_str() {
        "EL" => "GR",
        "UK" => "GB",
        "EI" => "IE",
        own => own,
    };
    id.bytes().all(|byte| byte.is_ascii_uppercase()).then(|| country(id))
}

/// `AU-TAS`, or a bare country.
fn iso(value: &str) -> Option<Place> {
    let value = value.to_ascii_uppercase();
    let (id, part) = value.split_once('-').map_or((value.as_str(), None), |(id, part)| (id, Some(part)));
    let is_country = id.len() == 2 && id.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_part =
        part.is_none_or(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !is_country || !is_part {
        return None;
    }
    match part {
        Some(part) if id == "US" => Some(place_of_state(part)),
        part => Some(coded(id, part)),
    }
}

#[cfg(test)]
mod tests;
