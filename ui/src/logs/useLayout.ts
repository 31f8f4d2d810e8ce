import { type RefObject, useEffect, useState } from 'react';

import type { Layout } from '../lines/render';
import type { Zone } from '../lines/time';
import { type Font, measureFont } from './measure';
import type { Log } from './useLog';

/** What a reader chooses of how lines are shown. */
export interface LineOptions {
  readonly wrap: boolean;
  readonly structured: boolean;
  readonly hasTimes: boolean;
}

/** Columns of the time, and of what is beside a source's name. */
const TIME = 13.5;
const BESIDE = 2.5;
/** Most columns of a source's name. */
const NAME = 14;
/** Pixels left and right of the text. */
const SIDES = 16 + 24;

/** Returns the columns for the names of sources; 0 for one source, which is not named. */
export function nameColumns(sources: readonly string[]): number {
  return sources.length > 1 ? Math.min(NAME, Math.max(...sources.map(({ length }) => length))) : 0;
}

/** The size of what shows the rows, in pixels, and its font. */
interface Size {
  readonly width: number;
  readonly height: number;
  readonly font: Font;
}

/** Measures an element and its font, and again when its size or its font changes. */
function useSize(element: RefObject<HTMLElement | null>): Size | undefined {
  const [size, setSize] = useState<Size>();
  useEffect(() => {
    const scroller = element.current;
    if (scroller === null) return undefined;
    const measure = () => {
      setSize({ width: scroller.clientWidth, height: scroller.clientHeight, font: measureFont(scroller) });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(scroller);
    document.fonts.addEventListener('loadingdone', measure);
    return () => {
      observer.disconnect();
      document.fonts.removeEventListener('loadingdone', measure);
    };
  }, [element]);
  return size;
}

/**
 * Lays a log out for an element.
 *
 * @param names The columns of a source's name, see {@link nameColumns}.
 * @returns The width of a column in pixels; 0 until it is measured.
 */
export function useLayout(
  { client, viewport }: Log,
  element: RefObject<HTMLElement | null>,
  { wrap, structured, hasTimes }: LineOptions,
  names: number,
  zone: Zone,
): number {
  const size = useSize(element);
  const column = size?.font.column ?? 0;
  const beside = (hasTimes ? TIME : 0) + (names > 0 ? names + BESIDE : 0);
  const columns = size === undefined ? 0 : Math.max(10, Math.floor((size.width - SIDES) / column - beside));
  const widths = size?.font.widths;
  // The measures are the same object only as long as nothing is measured.
  const known = widths === undefined ? '' : JSON.stringify(widths);
  useEffect(() => {
    if (known === '') return;
    const measured = JSON.parse(known) as Layout['widths'];
    client.send({ type: 'layout', layout: { columns, wrap, structured, markRows: 2, zone, widths: measured } });
    viewport.redraw();
  }, [client, viewport, columns, wrap, structured, zone, known]);
  useEffect(() => {
    if (size !== undefined) viewport.resize(size.height, size.font.row);
  }, [viewport, size]);
  return column;
}
