//! Plots as SVG.

use std::error::Error;

use plotters::{
    chart::ChartBuilder,
    coord::{Shift, combinators::BindKeyPoints},
    prelude::{
        Circle, DrawingArea, IntoDrawingArea, IntoLogRange, LineSeries, PathElement, Rectangle, SVGBackend, Text,
    },
    style::{Color, RGBColor, WHITE},
};

const SIZE: (u32, u32) = (860, 380);
/// Pixels for the names of lines.
const NAMES: u32 = 190;
/// Told apart by those who see no red or no green as well (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A line, and the points on it.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Lines over logarithmic axes, and their names beside them.
///
/// # Errors
/// Where there is nothing to draw.
pub fn lines(title: &str, x: &str, y: &str, lines: &[Line]) -> Result<String> {
    let all = || lines.iter().flat_map(|line| &line.points);
    let (least, most) = span(all().map(|point| point.0));
    let (lowest, highest) = span(all().map(|point| point.1));
    if least >= most || lowest <= 0.0 {
        return Err(format!("nothing to plot for {title}").into());
    }
    let mut places: Vec<f64> = all().map(|point| point.0).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    draw(title, SIZE.1, |area| {
        let (plot, names) = area.split_horizontally(SIZE.0 - NAMES);
        let (xs, ys) = ((least..most).log_scale(), (lowest * 0.7..highest * 1.4).log_scale());
        let mut chart = frame(&plot, title, 60).build_cartesian_2d(xs.with_key_points(places), ys)?;
        let mesh = &mut chart.configure_mesh();
        mesh.x_desc(x).y_desc(y).x_label_formatter(&short).y_label_formatter(&short).light_line_style(WHITE).draw()?;
        for (place, (line, colour)) in lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            // Where the colours begin anew, the points are hollow.
            let point = if place < COLOURS.len() { colour.filled() } else { colour.stroke_width(1) };
            chart.draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?;
            chart.draw_series(line.points.iter().map(|at| Circle::new(*at, 4, point)))?;
            let row = 48 + 22 * place as i32;
            names.draw(&PathElement::new([(0, row), (20, row)], colour.stroke_width(2)))?;
            names.draw(&Circle::new((10, row), 4, point))?;
            names.draw(&Text::new(line.name.clone(), (28, row - 7), ("sans-serif", 14)))?;
        }
        Ok(())
    })
}

/// A bar for each name, one below the other.
///
/// # Errors
/// Where there is nothing to draw.
pub fn bars(title: &str, x: &str, bars: &[(String, f64)]) -> Result<String> {
    let longest = bars.iter().map(|bar| bar.1).fold(0.0, f64::max) * 1.15;
    if longest <= 0.0 {
        return Err(format!("nothing to plot for {title}").into());
    }
    let height = 100 + 24 * bars.len() as u32;
    draw(title, height, |area| {
        let rows = (bars.len() as f64)..0.0;
        let mut chart = frame(area, title, 170).build_cartesian_2d(0.0..longest, rows)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .x_desc(x)
            .x_label_formatter(&short)
            .light_line_style(WHITE)
            .draw()?;
        for (row, (name, value)) in bars.iter().enumerate() {
            let (top, bottom) = (row as f64 + 0.15, row as f64 + 0.85);
            chart.draw_series([Rectangle::new([(0.0, top), (*value, bottom)], COLOURS[0].filled())])?;
            let middle = chart.backend_coord(&(0.0, f64::midpoint(top, bottom))).1 - 7;
            area.draw(&Text::new(name.clone(), (16, middle), ("sans-serif", 14)))?;
            let end = chart.backend_coord(&(*value, top)).0 + 6;
            area.draw(&Text::new(format!("{value:.1}"), (end, middle), ("sans-serif", 14)))?;
        }
        Ok(())
    })
}

fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, 0.0), |(least, most), value| (least.min(value), most.max(value)))
}

/// A number as an axis has room for it.
fn short(value: &f64) -> String {
    match *value {
        value if value >= 1e6 => format!("{}M", value / 1e6),
        value if value >= 1e3 => format!("{}k", value / 1e3),
        value => format!("{}", (value * 100.0).round() / 100.0),
    }
}

fn draw(title: &str, height: u32, content: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (SIZE.0, height)).into_drawing_area();
        area.fill(&WHITE)?;
        content(&area)?;
        area.present()?;
    }
    // What a screen reader says in place of the picture.
    Ok(svg.replacen('>', &format!(" role=\"img\" aria-label=\"{title}\">"), 1))
}

fn frame<'a, 'b>(area: &'a Area<'b>, title: &str, left: u32) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder.caption(title, ("sans-serif", 18)).margin(12).x_label_area_size(44).y_label_area_size(left);
    builder
}
