// Positions without a map: what the form library would draw on map tiles of a
// foreign host is shown as numbers, and taken from the device. It stands in for the
// library's map (see build.mjs) and takes and gives what that does.

import { defineComponent, h, ref, watch } from "vue";

// "latitude longitude altitude accuracy", as OpenRosa writes a point.
const point = (c) => [c.latitude, c.longitude, c.altitude ?? 0, c.accuracy ?? 0].join(" ");
const pointOf = ([lon, lat, alt, acc]) => [lat, lon, alt ?? 0, acc ?? 0].join(" ");

export default defineComponent({
  name: "PositionBlock",
  props: ["featureCollection", "disabled", "singleFeatureType", "mode", "orderedExtraProps", "savedFeatureValue"],
  emits: ["save"],
  setup(props, { emit }) {
    const busy = ref(false), failed = ref(false);
    // As taken here: too few for a line or an area are no answer yet, and a line
    // that ends where it began comes back as an area.
    const taken = ref(null);
    const saved = () => {
      if (taken.value) return taken.value;
      const g = props.savedFeatureValue?.geometry;
      if (!g) return [];
      return (g.type === "Point" ? [g.coordinates] : g.type === "Polygon" ? g.coordinates[0].slice(0, -1) : g.coordinates).map(pointOf);
    };
    const fewest = { point: 1, trace: 2, shape: 3 }[props.singleFeatureType] ?? 1;
    const save = (points) => {
      taken.value = points;
      const answer = points.length < fewest ? [] : props.singleFeatureType === "shape" ? [...points, points[0]] : points;
      emit("save", answer.join(";"));
    };
    watch(() => props.savedFeatureValue, (now) => { if (!now && taken.value?.length >= fewest) taken.value = null; }); // the form took the answer back
    const take = () => {
      busy.value = true;
      failed.value = false;
      navigator.geolocation.getCurrentPosition(
        (p) => { busy.value = false; save(props.singleFeatureType === "point" ? [point(p.coords)] : [...saved(), point(p.coords)]); },
        () => { busy.value = false; failed.value = true; },
        { enableHighAccuracy: true, timeout: 30_000 });
    };
    const button = (label, onClick, cls) => h("button", { type: "button", class: cls, disabled: busy.value, onClick }, h("span", label));
    const pair = (name, value) => h("div", [h("dt", h("span", name)), h("dd", { dir: "ltr" }, value)]);
    return () => {
      if (props.mode === "select")
        return h("div", { class: "position" }, props.featureCollection.features.map((f) => {
          const value = f.properties.odk_value, on = props.savedFeatureValue?.properties?.odk_value === value;
          return h("button", { type: "button", "aria-pressed": String(on), disabled: props.disabled, onClick: () => emit("save", on ? "" : value) }, f.properties.odk_label);
        }));
      const points = saved(), one = props.singleFeatureType === "point";
      return h("div", { class: "position" }, [
        points.length ? h("ol", points.map((p) => {
          const [lat, lon, , acc] = p.split(" ").map(Number);
          return h("li", h("dl", [pair("Latitude", lat.toFixed(6)), pair("Longitude", lon.toFixed(6)), acc ? pair("Accuracy", Math.round(acc) + " m") : null]));
        })) : h("p", h("span", "No position yet")),
        failed.value ? h("p", { class: "bad", role: "alert" }, h("span", "Cannot access location")) : null,
        props.disabled ? null : h("div", { class: "acts" }, [
          button(busy.value ? "Finding your location" : one ? (points.length ? "Try again" : "Get location") : "Add my position", take, "main"),
          points.length ? button(one ? "Remove position" : "Remove the last", () => save(points.slice(0, -1))) : null,
        ]),
      ]);
    };
  },
});
