//! Plots as SVG.

use std::error::Error;

use plotters::{
    chart::{ChartBuilder, ChartContext, SeriesLabelPosition},
    coord::{Shift, cartesian::Cartesian2d, ranged1d::Ranged, types::RangedCoordf64},
    prelude::{
        Circle, DrawingArea, IntoDrawingArea, IntoLogRange, IntoSegmentedCoord, LineSeries, PathElement, Rectangle,
        SVGBackend, SegmentValue,
    },
    style::{BLACK, Color, RGBColor, WHITE},
};

const SIZE: (u32, u32) = (760, 380);
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

/// Lines over a logarithmic axis, from zero up.
///
/// # Errors
/// Where there is nothing to draw.
pub fn lines(title: &str, x: &str, y: &str, lines: &[Line]) -> Result<String> {
    let all = || lines.iter().flat_map(|line| &line.points);
    let (least, most) = all().fold((f64::MAX, 0.0_f64), |(least, most), point| (least.min(point.0), most.max(point.0)));
    let highest = all().fold(0.0_f64, |highest, point| highest.max(point.1)) * 1.15;
    if least >= most || highest <= 0.0 {
        return Err(format!("nothing to plot for {title}").into());
    }
    draw(title, |area| {
        let mut chart = frame(area, title).build_cartesian_2d((least..most).log_scale(), 0.0..highest)?;
        chart.configure_mesh().x_desc(x).y_desc(y).light_line_style(WHITE).draw()?;
        for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
            chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        }
        legend(&mut chart)
    })
}

/// A bar for each name, and a line that none should pass, where there is one.
///
/// # Errors
/// Where there is nothing to draw.
pub fn bars(title: &str, y: &str, bars: &[(String, f64)], bound: Option<f64>) -> Result<String> {
    let highest = bars.iter().map(|bar| bar.1).chain(bound).fold(0.0, f64::max) * 1.1;
    if bars.is_empty() || highest <= 0.0 {
        return Err(format!("nothing to plot for {title}").into());
    }
    let names: Vec<&String> = bars.iter().map(|bar| &bar.0).collect();
    draw(title, |area| {
        let mut chart = frame(area, title).build_cartesian_2d(names.as_slice().into_segmented(), 0.0..highest)?;
        let shown = |value: &SegmentValue<&&String>| match value {
            SegmentValue::CenterOf(name) => (**name).clone(),
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(bars.len())
            .x_label_formatter(&shown)
            .y_desc(y)
            .light_line_style(WHITE)
            .draw()?;
        chart.draw_series(names.iter().zip(bars).map(|(name, (_, value))| {
            let ends = [(SegmentValue::Exact(name), 0.0), (SegmentValue::Exact(name), *value)];
            let mut bar = Rectangle::new(ends, COLOURS[0].filled());
            bar.set_margin(0, 0, 6, 6);
            bar
        }))?;
        if let Some(bound) = bound {
            let ends = [SegmentValue::Exact(&names[0]), SegmentValue::Last].map(|x| (x, bound));
            chart.draw_series([PathElement::new(ends, COLOURS[1].stroke_width(2))])?;
        }
        Ok(())
    })
}

fn draw(title: &str, content: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        content(&area)?;
        area.present()?;
    }
    // What a screen reader says in place of the picture.
    Ok(svg.replacen('>', &format!(" role=\"img\" aria-label=\"{title}\">"), 1))
}

fn frame<'a, 'b>(area: &'a Area<'b>, title: &str) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder.caption(title, ("sans-serif", 18)).margin(12).x_label_area_size(44).y_label_area_size(60);
    builder
}

fn legend<'a, X: Ranged<ValueType = f64>>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, RangedCoordf64>>,
) -> Result<()> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}
