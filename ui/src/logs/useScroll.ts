import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

import { heightOf, isProportional } from '../lines/scale';
import type { Drawn, Viewport } from '../lines/viewport';

/** A difference that is rounding, in pixels. */
const ROUNDING = 1.5;
/** Pixels of a wheel's step where it counts lines. */
const WHEEL_LINE = 20;

/**
 * Keeps a scroll bar and a viewport together. The rows never follow the bar's position, only its
 * movement, so a bar that is set anew moves nothing.
 *
 * @returns What takes the scroller's `scroll` events.
 */
export function useScroll(scroller: RefObject<HTMLElement | null>, viewport: Viewport, drawn: Drawn): () => void {
  /** Where the bar was set last, or the hand has moved it. */
  const at = useRef(0);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || Math.abs(element.scrollTop - drawn.scrollTop) < ROUNDING) return;
    element.scrollTop = drawn.scrollTop;
    at.current = element.scrollTop;
  }, [scroller, drawn]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent) => {
      // Where a pixel of the bar stands for many rows, the wheel still moves by rows.
      if (event.ctrlKey || !isProportional(viewport.draw().scale)) return;
      event.preventDefault();
      viewport.scrollBy(event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_LINE);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      element.removeEventListener('wheel', onWheel);
    };
  }, [scroller, viewport]);
  return () => {
    const element = scroller.current;
    if (element === null || Math.abs(element.scrollTop - at.current) < ROUNDING) return;
    at.current = element.scrollTop;
    const { scale } = viewport.draw();
    // At its end the bar may stand a part of a pixel before it.
    const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - ROUNDING;
    viewport.scrollTo(isAtEnd ? heightOf(scale) - scale.view : element.scrollTop);
  };
}
